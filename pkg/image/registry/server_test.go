package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// identities is an Authenticator: the token "demo" is for the project demo, "none" for no project.
type identities struct{}

func (identities) Verify(_ context.Context, token string) (registry.Identity, error) {
	switch token {
	case "demo", "alt":
		return registry.Identity{ProjectID: "id-" + token, Project: token}, nil
	case "none":
		return registry.Identity{UserID: "u"}, nil
	case "outage":
		return registry.Identity{}, image.ErrUnavailable
	}
	return registry.Identity{}, image.ErrUnauthorized
}

// issued is an Issuer that remembers what it was asked.
type issued struct{ logins []registry.Login }

func (i *issued) Issue(_ context.Context, l registry.Login) (registry.Grant, error) {
	i.logins = append(i.logins, l)
	if l.Password == "secret" && (l.User == "alice" || l.User == "alice@example.org") && l.Domain != "example.org" ||
		l.ApplicationCredentialSecret == "secret" {
		return registry.Grant{Token: "demo", Expires: time.Now().Add(time.Hour)}, nil
	}
	return registry.Grant{}, image.ErrUnauthorized
}

// server is a registry over HTTP on an in-memory cloud.
type server struct {
	t     *testing.T
	url   string
	cloud *imagetest.Cloud
	h     *registry.Handler
	log   *issued
}

func newServer(t *testing.T, change func(*registry.Config)) *server {
	s := &server{t: t, cloud: imagetest.NewCloud(), log: &issued{}}
	c := registry.Config{
		Auth: identities{}, Issuer: s.log,
		Stores: func(_ context.Context, id registry.Identity) (image.Store, error) {
			return s.cloud.Store(id.Project), nil
		},
	}
	if change != nil {
		change(&c)
	}
	h, err := registry.New(c)
	require.NoError(t, err)
	srv := httptest.NewServer(h)
	t.Cleanup(func() { srv.Close(); require.NoError(t, h.Close()) })
	s.url, s.h = srv.URL, h
	return s
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// code is the first error code of an OCI error body.
func (r reply) code(t *testing.T) string {
	t.Helper()
	var body struct {
		Errors []struct{ Code, Message string }
	}
	require.NoError(t, json.Unmarshal(r.body, &body), "%s", r.body)
	require.NotEmpty(t, body.Errors)
	require.NotEmpty(t, body.Errors[0].Message)
	return body.Errors[0].Code
}

// ask is a request to be sent with the token demo unless another is named.
type ask struct {
	method, path, token string
	body                []byte
	header              map[string]string
	chunked             bool
}

func (s *server) do(a ask) reply {
	s.t.Helper()
	var body io.Reader
	if a.body != nil {
		body = bytes.NewReader(a.body)
	}
	if a.chunked {
		body = io.MultiReader(body) // hides the length
	}
	path := a.path
	if !strings.HasPrefix(path, "http") {
		path = s.url + path
	}
	req, err := http.NewRequestWithContext(s.t.Context(), a.method, path, body)
	require.NoError(s.t, err)
	if a.token == "" {
		a.token = "demo"
	}
	if a.token != "-" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	for k, v := range a.header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return reply{resp.StatusCode, resp.Header, b}
}

func (s *server) want(status int, a ask) reply {
	s.t.Helper()
	r := s.do(a)
	require.Equal(s.t, status, r.status, "%s %s: %s", a.method, a.path, r.body)
	return r
}

// push sends a fixture as a client does, in two requests for every blob.
func (s *server) push(repo, tag string, f imagetest.Fixture) {
	s.t.Helper()
	for _, blob := range append([][]byte{f.Config}, f.Layers...) {
		s.upload(repo, blob)
	}
	s.want(http.StatusCreated, ask{method: "PUT", path: "/v2/" + repo + "/manifests/" + tag, body: f.Manifest.Body, header: map[string]string{"Content-Type": f.Manifest.MediaType}})
}

func (s *server) upload(repo string, blob []byte) {
	s.t.Helper()
	at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/" + repo + "/blobs/uploads/"}).header.Get("Location")
	s.want(http.StatusAccepted, ask{method: "PATCH", path: at, body: blob, chunked: true})
	s.want(http.StatusCreated, ask{method: "PUT", path: at + "?digest=" + sum(blob)})
}
