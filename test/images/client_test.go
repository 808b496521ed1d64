package images

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image/imagetest"
)

// client pushes and pulls as docker does, with a token that it has.
type client struct {
	url, token string
	http       *http.Client
}

func newClient(url, token string) *client {
	return &client{url: url, token: token, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 5 * time.Minute}}
}

// answerError is an answer that was not expected.
type answerError struct {
	what   string
	status int
	body   string
}

func (e *answerError) Error() string { return fmt.Sprintf("%s: %d %s", e.what, e.status, e.body) }

// do sends one request and wants one of the statuses.
func (c *client) do(ctx context.Context, method, path, contentType string, body io.Reader, want ...int) (*http.Response, []byte, error) {
	if !strings.HasPrefix(path, "http") {
		path = c.url + path
	}
	req, err := http.NewRequestWithContext(ctx, method, path, body)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	for _, status := range want {
		if resp.StatusCode == status {
			return resp, b, nil
		}
	}
	return nil, nil, &answerError{method + " " + path, resp.StatusCode, string(b)}
}

// upload sends what the registry lacks: POST, one PATCH of unknown length, PUT.
func (c *client) upload(ctx context.Context, repo string, d digest.Digest, body io.Reader) error {
	resp, _, err := c.do(ctx, http.MethodHead, "/v2/"+repo+"/blobs/"+d.String(), "", nil, 200, 404)
	if err != nil || resp.StatusCode == http.StatusOK {
		return err
	}
	if resp, _, err = c.do(ctx, http.MethodPost, "/v2/"+repo+"/blobs/uploads/", "", nil, 202); err != nil {
		return err
	}
	at := resp.Header.Get("Location")
	if resp, _, err = c.do(ctx, http.MethodPatch, at, "application/octet-stream", io.MultiReader(body), 202); err != nil {
		return err
	}
	_, _, err = c.do(ctx, http.MethodPut, resp.Header.Get("Location")+"?digest="+d.String(), "", nil, 201)
	return err
}

func blobs(f imagetest.Fixture) [][]byte { return append([][]byte{f.Config}, f.Layers...) }

// push sends an image.
func (c *client) push(ctx context.Context, repo, tag string, f imagetest.Fixture) error {
	for _, b := range blobs(f) {
		if err := c.upload(ctx, repo, digest.FromBytes(b), bytes.NewReader(b)); err != nil {
			return err
		}
	}
	_, _, err := c.do(ctx, http.MethodPut, "/v2/"+repo+"/manifests/"+tag, f.Manifest.MediaType, bytes.NewReader(f.Manifest.Body), 201)
	return err
}

// pull reads all of an image and compares it.
func (c *client) pull(ctx context.Context, repo, name string, f imagetest.Fixture) error {
	_, got, err := c.do(ctx, http.MethodGet, "/v2/"+repo+"/manifests/"+name, "", nil, 200)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, f.Manifest.Body) {
		return fmt.Errorf("%s:%s is another manifest", repo, name)
	}
	for _, b := range blobs(f) {
		_, got, err := c.do(ctx, http.MethodGet, "/v2/"+repo+"/blobs/"+digest.FromBytes(b).String(), "", nil, 200)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, b) {
			return fmt.Errorf("%s:%s has other bytes", repo, name)
		}
	}
	return nil
}

func (c *client) remove(ctx context.Context, repo string, d digest.Digest) error {
	_, _, err := c.do(ctx, http.MethodDelete, "/v2/"+repo+"/manifests/"+d.String(), "", nil, 202)
	return err
}
