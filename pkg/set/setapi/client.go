package setapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/moset/moset/pkg/set"
)

// ClientConfig says where the other side is and how to reach it.
type ClientConfig struct {
	URL  string       // "http://127.0.0.1:9780"; the paths of the package comment follow it
	HTTP *http.Client // adds the caller's credential; nil means http.DefaultClient
}

type client struct {
	url  string
	http *http.Client
}

func newClient(c ClientConfig) client {
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	return client{url: strings.TrimRight(c.URL, "/"), http: c.HTTP}
}

// request is one call; body is sent as JSON, if not nil.
type request struct {
	method, path string
	header       http.Header
	body         any
}

// call sends a request and decodes the answer.
func call[T any](ctx context.Context, c client, r request) (T, error) {
	var out, none T
	resp, err := c.send(ctx, r)
	if err != nil {
		return none, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return none, fmt.Errorf("%w: %s sent an answer that is not the expected JSON: %w", set.ErrUnavailable, c.url, err)
	}
	return out, nil
}

// send returns an answer below 400; everything else is an error.
func (c client) send(ctx context.Context, r request) (*http.Response, error) {
	body, err := encode(r.body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.url+r.path, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, transportError(ctx, c.url, err)
	}
	if resp.StatusCode >= 400 {
		defer resp.Body.Close()
		return nil, ErrorOf(resp)
	}
	return resp, nil
}

// closeBody gives back an answer that nobody will read.
func closeBody(resp *http.Response) {
	if resp != nil {
		resp.Body.Close()
	}
}

func encode(in any) (io.Reader, error) {
	if in == nil {
		return http.NoBody, nil
	}
	b, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	return bytes.NewReader(b), nil
}

// transportError keeps a caller's own cancellation apart from a server that does not answer.
func transportError(ctx context.Context, url string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %s does not answer: %w", set.ErrUnavailable, url, err)
}
