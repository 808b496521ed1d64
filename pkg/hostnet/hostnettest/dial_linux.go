package hostnettest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Dial connects from inside a namespace. The address is an IPv4 literal with a port; network is tcp or udp.
func Dial(ctx context.Context, nsPath, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := InNetNS(nsPath, func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens for TCP inside a namespace.
func Listen(nsPath, address string) (net.Listener, error) {
	var l net.Listener
	err := InNetNS(nsPath, func() (err error) {
		l, err = net.Listen("tcp4", address)
		return err
	})
	return l, err
}

// HTTPGet fetches a page from inside a namespace; any status but 200 is an error. At most 1 MiB is read.
func HTTPGet(ctx context.Context, nsPath, url string) (string, error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return Dial(ctx, nsPath, network, address)
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return string(body), err
}
