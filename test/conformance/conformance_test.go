// Package conformance runs the conformance suite of the OCI distribution specification on our registry: on the store
// in memory, on the Glance box, and on a real Glance and Keystone. The module in oci pins the suite.
package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/registry/front"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// TestTheSuiteFindsNoFault runs the suite on every store, for the released specification and for the next one, which
// asks for more.
func TestTheSuiteFindsNoFault(t *testing.T) {
	suite := buildSuite(t)
	for name, serve := range map[string]func(*testing.T) string{
		"memory":          serveMemory,
		"box with sha256": func(t *testing.T) string { return serveBox(t, "sha256") },
		"box with sha512": func(t *testing.T) string { return serveBox(t, "sha512") },
	} {
		for _, version := range []string{"1.1", "1.1+dev"} {
			t.Run(name+" "+version, func(t *testing.T) {
				check(t, runSuite(t, suite, serve(t), version, login{"alice", "secret", "demo"}))
			})
		}
	}
}

// TestTheSuiteFindsNoFaultOnARealGlance runs as a user whose project no other test looks into.
func TestTheSuiteFindsNoFaultOnARealGlance(t *testing.T) {
	suite := buildSuite(t)
	as := login{"alt", setting(t, "MOSET_TEST_KEYSTONE_PASSWORD"), "alt"}
	for variable, version := range map[string]string{"MOSET_TEST_GLANCE": "1.1", "MOSET_TEST_GLANCE_SHA512": "1.1+dev"} {
		t.Run(variable, func(t *testing.T) {
			check(t, runSuite(t, suite, serveReal(t, setting(t, variable)), version, as))
		})
	}
}

// check wants every case passed but those that the version of the specification leaves out.
func check(t *testing.T, got results) {
	t.Helper()
	t.Attr("conformance", fmt.Sprintf("%d pass, %d FAIL, %d skipped of %d; %d are not of this version", got.passed(), got.Failures+got.Errors, got.Skipped, got.Tests, got.Disabled))
	require.Zero(t, got.Failures+got.Errors+got.Skipped, got.list())
	require.Greater(t, got.passed(), 850, "the suite ran only in part")
}

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: start the services with scripts/openstack, or run make test", name)
	return value
}

// alice is a Keystone with one user, whose token is "token".
type alice struct{}

func (alice) Issue(_ context.Context, l registry.Login) (registry.Grant, error) {
	if l.User != "alice" || l.Password != "secret" || l.Project != "demo" {
		return registry.Grant{}, image.ErrUnauthorized
	}
	return registry.Grant{Token: "token", Expires: time.Now().Add(time.Hour)}, nil
}

func (alice) Verify(_ context.Context, token string) (registry.Identity, error) {
	if token != "token" {
		return registry.Identity{}, image.ErrUnauthorized
	}
	return registry.Identity{ProjectID: "id-demo", Project: "demo"}, nil
}

func serveMemory(t *testing.T) string {
	cloud := imagetest.NewCloud()
	return serveStores(t, func(registry.Identity) (image.Store, error) { return cloud.Store("demo"), nil })
}

func serveBox(t *testing.T, hash string) string {
	box, err := imagetest.NewGlance(imagetest.GlanceConfig{
		Tokens: imagetest.FixedTokens{"token": {ProjectID: "id-demo", Roles: []string{"member"}}}, Hash: hash, Dir: t.TempDir(),
	})
	require.NoError(t, err)
	srv := httptest.NewServer(box)
	t.Cleanup(srv.Close)
	cache := new(glance.Cache)
	return serveStores(t, func(id registry.Identity) (image.Store, error) {
		return glance.New(glance.Config{Endpoint: srv.URL, Token: id.Token, ProjectID: id.ProjectID, Project: id.Project, Cache: cache})
	})
}

func serveStores(t *testing.T, stores func(registry.Identity) (image.Store, error)) string {
	h, err := registry.New(registry.Config{Auth: alice{}, Issuer: alice{}, Stores: func(_ context.Context, id registry.Identity) (image.Store, error) {
		return stores(id)
	}})
	require.NoError(t, err)
	return serve(t, h)
}

// serveReal is the registry daemon's own handler.
func serveReal(t *testing.T, endpoint string) string {
	auth := setting(t, "MOSET_TEST_KEYSTONE")
	session, err := keystone.Connect(t.Context(), keystone.Credentials{AuthURL: auth, UserName: "moset", Password: setting(t, "MOSET_TEST_KEYSTONE_PASSWORD"), ProjectName: "service"})
	require.NoError(t, err)
	h, err := front.New(front.Config{AuthURL: auth, GlanceURL: endpoint, Verifier: authn.NewCached(keystone.NewVerifier(session, 0), authn.CacheConfig{})})
	require.NoError(t, err)
	return serve(t, h)
}

// serve returns host and port of h.
func serve(t *testing.T, h interface {
	http.Handler
	io.Closer
}) string {
	srv := httptest.NewServer(h)
	t.Cleanup(func() { srv.Close(); require.NoError(t, h.Close()) })
	return strings.TrimPrefix(srv.URL, "http://")
}
