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

// do sends in as JSON, if not nil, and decodes the answer into out, if not nil.
func (c client) do(ctx context.Context, method, path string, header http.Header, in, out any) error {
	resp, err := c.send(ctx, method, path, header, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("%w: %s sent an answer that is not the expected JSON: %w", set.ErrUnavailable, c.url, err)
	}
	return nil
}

// send returns an answer below 400; everything else is an error.
func (c client) send(ctx context.Context, method, path string, header http.Header, in any) (*http.Response, error) {
	body, err := encode(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if in != nil {
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
