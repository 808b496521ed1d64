package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

func TestWithoutATokenTheClientLearnsWhereToGetOne(t *testing.T) {
	s := newServer(t, nil)
	r := s.want(http.StatusUnauthorized, ask{method: "GET", path: "/v2/", token: "-"})
	require.Equal(t, `Bearer realm="`+s.url+`/token",service="moset-registry"`, r.header.Get("WWW-Authenticate"))
	require.Equal(t, "UNAUTHORIZED", r.code(t))
	r = s.want(http.StatusUnauthorized, ask{method: "PUT", path: "/v2/demo/app/manifests/1", token: "-"})
	require.Contains(t, r.header.Get("WWW-Authenticate"), `scope="repository:demo/app:pull,push"`)
}

func TestTokensAreVerified(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct {
		token, path string
		status      int
		why         string
	}{
		{"demo", "/v2/", 200, ""},
		{"none", "/v2/", 200, ""},
		{"none", "/v2/demo/app/tags/list", 401, "insufficient_scope"},
		{"stranger", "/v2/", 401, "invalid_token"},
		{strings.Repeat("x", 9000), "/v2/", 401, "invalid_token"},
		{"outage", "/v2/", 503, ""},
	} {
		r := s.want(c.status, ask{method: "GET", path: c.path, token: c.token})
		if c.why != "" {
			assert.Contains(t, r.header.Get("WWW-Authenticate"), `error="`+c.why+`"`)
		}
		assert.NotContains(t, string(r.body), c.token+c.token)
	}
}

func TestOnlyTheOwningProjectWrites(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a")
	s.push("demo/app", "1", f)
	for _, a := range []ask{
		{method: "POST", path: "/v2/demo/app/blobs/uploads/"},
		{method: "PUT", path: "/v2/demo/app/manifests/2", body: f.Manifest.Body},
		{method: "DELETE", path: "/v2/demo/app/manifests/1"},
	} {
		a.token = "alt"
		require.Equal(t, "DENIED", s.want(http.StatusForbidden, a).code(t))
	}
	require.Equal(t, "MANIFEST_UNKNOWN", s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/manifests/1", token: "alt"}).code(t))
	r := s.want(http.StatusOK, ask{method: "GET", path: "/v2/_catalog", token: "alt"})
	require.JSONEq(t, `{"repositories":[]}`, string(r.body))
}

// tokenAs asks /token as docker login does.
func (s *server) tokenAs(user, password, query string) reply {
	s.t.Helper()
	u, err := url.Parse(s.url + "/token" + query)
	require.NoError(s.t, err)
	u.User = url.UserPassword(user, password)
	return s.do(ask{method: "GET", path: u.String(), token: "-"})
}

func TestALoginBecomesATokenOfItsProject(t *testing.T) {
	id := strings.Repeat("0a", 16)
	for _, c := range []struct {
		user, query string
		want        []registry.Login
	}{
		{"alice", "", []registry.Login{{User: "alice", Password: "secret"}}},
		{"alice/demo", "?scope=repository:other/app:pull", []registry.Login{{User: "alice", Password: "secret", Project: "demo"}}},
		{"alice@lab/demo", "", []registry.Login{{User: "alice", Domain: "lab", Password: "secret", Project: "demo"}}},
		{"alice", "?scope=repository:demo/app:pull", []registry.Login{{User: "alice", Password: "secret", Project: "demo"}}},
		{"alice", "?scope=repository:base/os:pull&scope=repository:demo/app:pull,push", []registry.Login{{User: "alice", Password: "secret", Project: "demo"}}},
		{"alice@example.org", "", []registry.Login{
			{User: "alice", Domain: "example.org", Password: "secret"}, {User: "alice@example.org", Password: "secret"},
		}},
		{id, "", []registry.Login{{ApplicationCredentialID: id, ApplicationCredentialSecret: "secret"}}},
	} {
		s := newServer(t, nil)
		r := s.tokenAs(c.user, "secret", c.query)
		require.Equal(t, http.StatusOK, r.status, "%s: %s", c.user, r.body)
		var body struct {
			Token       string
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
		}
		require.NoError(t, json.Unmarshal(r.body, &body))
		assert.Equal(t, "demo", body.Token)
		assert.Equal(t, "demo", body.AccessToken)
		assert.InDelta(t, 3600, body.ExpiresIn, 5)
		assert.Equal(t, c.want, s.log.logins)
	}
}

func TestAWrongLoginGetsNoToken(t *testing.T) {
	s := newServer(t, nil)
	for _, r := range []reply{s.tokenAs("alice", "wrong", ""), s.tokenAs("", "secret", ""), s.do(ask{method: "GET", path: "/token", token: "-"})} {
		require.Equal(t, http.StatusUnauthorized, r.status)
		require.Equal(t, "UNAUTHORIZED", r.code(t))
	}
	require.Equal(t, http.StatusMethodNotAllowed, s.do(ask{method: "DELETE", path: "/token"}).status)
}

func TestAPasswordGrantIsATokenToo(t *testing.T) {
	s := newServer(t, nil)
	post := func(form string) reply {
		return s.do(ask{method: "POST", path: "/token", token: "-", body: []byte(form), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	}
	require.Equal(t, http.StatusOK, post("grant_type=password&username=alice&password=secret&scope=repository:demo/app:pull").status)
	require.Equal(t, "demo", s.log.logins[0].Project)
	require.Equal(t, http.StatusBadRequest, post("grant_type=refresh_token&refresh_token=x").status)
}

func TestWithoutAnIssuerThereIsNoRealm(t *testing.T) {
	s := newServer(t, func(c *registry.Config) { c.Issuer = nil })
	require.Equal(t, http.StatusNotFound, s.tokenAs("alice", "secret", "").status)
}

func TestPathsThatAreNoneAreRefused(t *testing.T) {
	s := newServer(t, nil)
	for path, want := range map[string]int{
		"/v2/app/manifests/1": 400, "/v2/Demo/App/manifests/1": 400, "/v2/demo.org/app/manifests/1": 400,
		"/v2/demo/app/nothing": 404, "/v2/demo/app/referrers/x": 400, "/v2/demo/app/manifests/sha256:x": 400, "/v2/demo/app/blobs/x": 400,
		"/v2/" + strings.Repeat("a/", 600) + "manifests/1": 404, "/elsewhere": 404,
	} {
		assert.Equal(t, want, s.do(ask{method: "GET", path: path}).status, path)
	}
	require.Equal(t, "UNSUPPORTED", s.want(http.StatusMethodNotAllowed, ask{method: "PATCH", path: "/v2/demo/app/blobs/" + sum(nil)}).code(t))
	require.Equal(t, "ok\n", string(s.want(http.StatusOK, ask{method: "GET", path: "/healthz", token: "-"}).body))
}

func TestTokensAndPasswordsAreNotLogged(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	s := newServer(t, func(c *registry.Config) {
		c.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Stores = func(context.Context, registry.Identity) (image.Store, error) { return nil, errors.New("broken") }
	})
	s.tokenAs("alice", "hush-hush", "?account=alice")
	s.want(http.StatusUnauthorized, ask{method: "GET", path: "/v2/", token: "hush-token"})
	s.want(http.StatusInternalServerError, ask{method: "GET", path: "/v2/_catalog", token: "demo"})
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, log.String(), "/v2/_catalog")
	require.Contains(t, log.String(), "broken")
	require.NotContains(t, log.String(), "hush")
	require.NotContains(t, log.String(), "demo")
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestARegistryNeedsItsParts(t *testing.T) {
	_, err := registry.New(registry.Config{})
	require.Error(t, err)
}
