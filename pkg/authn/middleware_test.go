package authn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
)

// fixed knows three tokens.
var fixed = authn.VerifierFunc(func(_ context.Context, token string) (*authn.Identity, error) {
	switch token {
	case "good":
		return &authn.Identity{UserName: "demo", ProjectID: "p1", Roles: []string{"member"}}, nil
	case "unscoped":
		return &authn.Identity{UserName: "demo"}, nil
	case "outage":
		return nil, authn.ErrUnavailable
	}
	return nil, authn.ErrInvalidToken
})

func guarded(cfg authn.MiddlewareConfig, next http.HandlerFunc) http.Handler {
	cfg.Verifier, cfg.KeystoneURL = fixed, "http://keystone:5000/v3"
	return authn.Middleware(cfg)(next)
}

func request(header http.Header) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = header
	return r
}

func TestOnlyAValidTokenGetsThrough(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   int
	}{
		"token":            {http.Header{"X-Auth-Token": {"good"}}, 200},
		"bearer":           {http.Header{"Authorization": {"Bearer good"}}, 200},
		"bearer, any case": {http.Header{"Authorization": {"bEARER  good"}}, 200},
		"none":             {http.Header{}, 401},
		"wrong":            {http.Header{"X-Auth-Token": {"bad"}}, 401},
		"basic":            {http.Header{"Authorization": {"Basic good"}}, 401},
		"unscoped":         {http.Header{"X-Auth-Token": {"unscoped"}}, 401},
		"over-long":        {http.Header{"X-Auth-Token": {strings.Repeat("x", authn.MaxToken+1)}}, 401},
		"Keystone is down": {http.Header{"X-Auth-Token": {"outage"}}, 503},
		"the first counts": {http.Header{"X-Auth-Token": {"bad"}, "Authorization": {"Bearer good"}}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			reached := false
			w := httptest.NewRecorder()
			guarded(authn.MiddlewareConfig{}, func(http.ResponseWriter, *http.Request) { reached = true }).ServeHTTP(w, request(c.header))
			assert.Equal(t, c.want, w.Code)
			assert.Equal(t, c.want == 200, reached)
			if c.want == 401 {
				assert.Equal(t, `Keystone uri="http://keystone:5000/v3"`, w.Header().Get("WWW-Authenticate"))
			}
			if c.want != 200 {
				assert.Contains(t, w.Body.String(), `"message"`)
			}
		})
	}
}

func TestTheHandlerSeesTheTruthAndNoSpoofedHeader(t *testing.T) {
	header := http.Header{"X-Auth-Token": {"good"}}
	for _, spoofed := range []string{"X-User-Id", "X-Project-Id", "X-Roles", "X-Role", "X-Tenant", "X-Domain-Name", "X-Service-Token", "X-Identity-Status", "X-Is-Admin-Project", "Authorization"} {
		header.Set(spoofed, "admin")
	}
	header.Set("Accept", "text/plain")
	w := httptest.NewRecorder()
	guarded(authn.MiddlewareConfig{}, func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.Header{"Accept": {"text/plain"}}, r.Header)
		id, ok := authn.FromContext(r.Context())
		require.True(t, ok)
		assert.Equal(t, "p1", id.ProjectID)
		assert.Equal(t, "good", authn.TokenFromContext(r.Context()))
	}).ServeHTTP(w, request(header))
	assert.Equal(t, 200, w.Code)
}

func TestUnscopedTokensPassWhereAllowed(t *testing.T) {
	w := httptest.NewRecorder()
	guarded(authn.MiddlewareConfig{AllowUnscope: true}, func(http.ResponseWriter, *http.Request) {}).ServeHTTP(w, request(http.Header{"X-Auth-Token": {"unscoped"}}))
	assert.Equal(t, 200, w.Code)
	_, ok := authn.FromContext(t.Context())
	assert.False(t, ok)
	assert.Empty(t, authn.TokenFromContext(t.Context()))
}

// renewing is a TokenSource whose first token is refused.
type renewing struct{ refreshed int }

func (*renewing) Token(context.Context) (string, error) { return "old", nil }
func (r *renewing) Refresh(_ context.Context, refused string) (string, error) {
	if refused != "old" {
		return "", errors.New("nobody refused that")
	}
	r.refreshed++
	return "new", nil
}

func TestARefusedTokenIsRenewedOnceAndTheBodySentAgain(t *testing.T) {
	var bodies []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Header.Get("X-Auth-Token")+" "+string(b))
		if r.Header.Get("X-Auth-Token") != "new" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer s.Close()
	source := &renewing{}
	resp, err := (&http.Client{Transport: &authn.Transport{Source: source}}).Post(s.URL, "text/plain", strings.NewReader("hello"))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, []string{"old hello", "new hello"}, bodies)
	assert.Equal(t, 1, source.refreshed)
}

func TestARefusedStaticTokenStaysRefused(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "one", r.Header.Get("X-Auth-Token"))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer s.Close()
	resp, err := (&http.Client{Transport: &authn.Transport{Source: authn.StaticToken("one")}}).Get(s.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, 401, resp.StatusCode)
}

func TestARedirectToAnotherHostGetsNoToken(t *testing.T) {
	var tokens []string
	note := func(r *http.Request) { tokens = append(tokens, r.URL.Path+" "+r.Header.Get("X-Auth-Token")) }
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { note(r) }))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r)
		target := map[string]string{"/": "/here", "/here": other.URL + "/away"}[r.URL.Path]
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	resp, err := (&http.Client{Transport: &authn.Transport{Source: authn.StaticToken("one")}}).Get(s.URL + "/")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, []string{"/ one", "/here one", "/away "}, tokens)
}

// broken is a TokenSource without a token.
type broken struct{}

func (broken) Token(context.Context) (string, error) { return "", authn.ErrUnavailable }

func TestWithoutATokenNothingIsSent(t *testing.T) {
	_, err := (&http.Client{Transport: &authn.Transport{Source: broken{}}}).Get("http://127.0.0.1:1")
	assert.ErrorIs(t, err, authn.ErrUnavailable)
}

func TestPolicyFollowsTheRoles(t *testing.T) {
	custom := authn.Policy{Readers: []string{"auditor"}, Members: []string{"operator"}, Admins: []string{"root"}}
	for _, c := range []struct {
		policy authn.Policy
		role   string
		may    [3]bool // read, write, admin
	}{
		{authn.Policy{}, "reader", [3]bool{true, false, false}},
		{authn.Policy{}, "member", [3]bool{true, true, false}},
		{authn.Policy{}, "admin", [3]bool{true, true, true}},
		{authn.Policy{}, "stranger", [3]bool{}},
		{custom, "auditor", [3]bool{true, false, false}},
		{custom, "operator", [3]bool{true, true, false}},
		{custom, "root", [3]bool{true, true, true}},
		{custom, "admin", [3]bool{}},
	} {
		id := &authn.Identity{Roles: []string{c.role}}
		for access, may := range c.may {
			err := c.policy.Allow(id, authn.Access(access))
			assert.Equal(t, may, err == nil, "%s %d", c.role, access)
			if !may {
				assert.ErrorIs(t, err, authn.ErrForbidden)
			}
		}
	}
}

func TestTheSharedKeyOpensAndNothingElseDoes(t *testing.T) {
	key, err := authn.NewSharedKey("sixteen characters")
	require.NoError(t, err)
	other, err := authn.NewSharedKey("sixteen other characters")
	require.NoError(t, err)
	s := httptest.NewServer(key.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("X-Moset-Key"), "the key goes no further")
	})))
	defer s.Close()
	for _, c := range []struct {
		transport http.RoundTripper
		want      int
	}{{key.Transport(nil), 200}, {other.Transport(nil), 401}, {http.DefaultTransport, 401}} {
		resp, err := (&http.Client{Transport: c.transport}).Get(s.URL)
		require.NoError(t, err)
		assert.Equal(t, c.want, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	}
	assert.NotContains(t, key.String(), "sixteen")
}

func TestAShortKeyIsRefused(t *testing.T) {
	_, err := authn.NewSharedKey("short")
	assert.ErrorContains(t, err, "at least 16 characters")
	w := httptest.NewRecorder()
	authn.SharedKey{}.Middleware(http.NotFoundHandler()).ServeHTTP(w, request(http.Header{}))
	assert.Equal(t, 401, w.Code, "the zero key opens nothing")
}

func FuzzTokenFromRequest(f *testing.F) {
	f.Add("", "Bearer x")
	f.Add("x", "Basic eA==")
	f.Add("", " ")
	f.Fuzz(func(t *testing.T, token, authorization string) {
		got := authn.TokenFromRequest(request(http.Header{"X-Auth-Token": {token}, "Authorization": {authorization}}))
		if token != "" {
			assert.Equal(t, token, got)
		}
	})
}
