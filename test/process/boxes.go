package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
)

// users are those of the Keystone box; each has the password "secret-" and its name.
func users() []authntest.User {
	role := func(project string, roles ...string) map[string][]string { return map[string][]string{project: roles} }
	return []authntest.User{
		{Name: "demo", Password: "secret-demo", Projects: role("demo", "member", "reader")},
		{Name: "alt", Password: "secret-alt", Projects: role("alt", "member", "reader")},
		{Name: "viewer", Password: "secret-viewer", Projects: role("demo", "reader")},
		{Name: "admin", Password: "secret-admin", Projects: role("demo", "admin")},
		{Name: "moset", Password: "secret-moset", Projects: role("service", "service", "admin")},
	}
}

// projects are those that the users above act in.
func project(user string) string {
	switch user {
	case "viewer", "admin":
		return "demo"
	case "moset":
		return "service"
	}
	return user
}

// startBoxes serves a Keystone and a Glance whose catalog names the daemons to be.
func (c *Cloud) startBoxes(t testing.TB) {
	t.Helper()
	var err error
	c.Keystone, err = authntest.New(authntest.Config{Users: users(), TokenTTL: c.cfg.TokenTTL})
	require.NoError(t, err)
	c.AuthURL = c.serve(t, c.Keystone) + "/v3"
	c.Keystone.SetEndpoint("identity", c.AuthURL)
	session, err := keystone.Connect(t.Context(), keystone.Credentials{AuthURL: c.AuthURL, UserName: "moset", Password: "secret-moset", ProjectName: "service"})
	require.NoError(t, err)
	c.Glance, err = imagetest.NewGlance(imagetest.GlanceConfig{Tokens: checker{keystone.NewVerifier(session, 0)}, Hash: "sha256", Dir: c.cfg.Images})
	require.NoError(t, err)
	c.AroundGlance(nil)
	c.GlanceURL = c.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*c.glance.Load()).ServeHTTP(w, r) }))
	c.Keystone.SetEndpoint("image", c.GlanceURL)
}

// AroundGlance puts a handler between clients and the Glance box, or with nil takes it away.
func (c *Cloud) AroundGlance(wrap func(next http.Handler) http.Handler) {
	var h http.Handler = c.Glance
	if wrap != nil {
		h = wrap(h)
	}
	c.glance.Store(&h)
}

// serve serves a box on the cloud's address until the test ends.
func (c *Cloud) serve(t testing.TB, h http.Handler) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(c.cfg.Address, "0"))
	require.NoError(t, err)
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

// checker lets the Glance box ask Keystone.
type checker struct{ verifier authn.Verifier }

// Check implements imagetest.TokenChecker.
func (c checker) Check(ctx context.Context, token string) (imagetest.Caller, error) {
	id, err := c.verifier.Verify(ctx, token)
	if errors.Is(err, authn.ErrUnavailable) {
		return imagetest.Caller{}, fmt.Errorf("%w: %w", image.ErrUnavailable, err)
	}
	if err != nil {
		return imagetest.Caller{}, err
	}
	return imagetest.Caller{ProjectID: id.ProjectID, Roles: id.Roles}, nil
}

// Serve serves on a free port of loopback until the test ends and returns host:port.
func Serve(t testing.TB, s *http.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}
