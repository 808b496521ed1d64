package glance

import (
	"context"
	"net"
	"syscall"
)

// Dial is for the DialContext of a transport to Glance. Glance sends the end of a payload in a segment of its own, and
// its system holds that back until the segment before is acknowledged, which Linux does some 40 ms late: connections
// from Dial acknowledge at once.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	t, ok := c.(*net.TCPConn)
	if !ok {
		return c, nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		c.Close()
		return nil, err
	}
	return promptConn{TCPConn: t, raw: raw}, nil
}

// promptConn acknowledges what it reads at once. The system falls back to waiting by itself, so every Read says so anew.
type promptConn struct {
	*net.TCPConn
	raw syscall.RawConn
}

// Read implements net.Conn.
func (c promptConn) Read(p []byte) (int, error) {
	_ = c.raw.Control(acknowledge) // a connection that cannot be told so is only slower
	return c.TCPConn.Read(p)
}
