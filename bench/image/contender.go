package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/pkg/image"
)

// contender is a registry that is measured.
type contender struct {
	name  string // in the figures
	host  string // host:port
	repos string // what its repositories begin with
	token string // Keystone's; "" asks without
	meter *meter // nil: not counted
}

// image is the name that the engine has an image of this registry by.
func (c *contender) image(repo string) string { return c.host + "/" + c.repos + "/" + repo + ":v1" }

// auth is what the engine is to send: the token as it is, as a host of moset has it do.
func (c *contender) auth() string {
	b, _ := json.Marshal(map[string]string{"registrytoken": c.token}) // a string: cannot fail
	if c.token == "" {
		b = []byte("{}") // the engine wants an object
	}
	return base64.URLEncoding.EncodeToString(b)
}

// forget deletes an image and its blobs, so that a long run does not fill the store behind. Only a registry with a
// store of its own needs it.
func (c *contender) forget(ctx context.Context, repo string) error {
	if c.token == "" {
		return nil
	}
	path := "/v2/" + c.repos + "/" + repo
	body, head, err := c.ask(ctx, http.MethodGet, path+"/manifests/v1")
	if err != nil {
		return err
	}
	contents, err := image.ParseManifest(head.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	if _, _, err := c.ask(ctx, http.MethodDelete, path+"/manifests/"+head.Get("Docker-Content-Digest")); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, d := range contents.Blobs() {
		g.Go(func() error {
			_, _, err := c.ask(ctx, http.MethodDelete, path+"/blobs/"+d.Digest.String())
			if errors.Is(err, errKept) {
				return nil // another image needs it still
			}
			return err
		})
	}
	return g.Wait()
}

var errKept = errors.New("the registry keeps it")

func (c *contender) ask(ctx context.Context, method, path string) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.host+path, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", strings.Join([]string{image.MediaTypeDockerManifest, "*/*"}, ","))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusNotFound:
		err = fmt.Errorf("%s %s: %w: %s", method, path, errKept, body)
	case resp.StatusCode >= http.StatusBadRequest:
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, body)
	}
	return body, resp.Header, err
}
