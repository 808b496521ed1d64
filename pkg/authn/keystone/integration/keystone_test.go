// Package integration holds package keystone against a real Keystone. scripts/openstack starts it and names it.
package integration

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/authn/keystone"
)

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: start the services with scripts/openstack, or run make test", name)
	return value
}

func credentials(t *testing.T, user, project string) keystone.Credentials {
	t.Helper()
	return keystone.Credentials{AuthURL: setting(t, "MOSET_TEST_KEYSTONE"), UserName: user, Password: setting(t, "MOSET_TEST_KEYSTONE_PASSWORD"), ProjectName: project}
}

func connect(t *testing.T, user, project string) *keystone.Session {
	t.Helper()
	s, err := keystone.Connect(t.Context(), credentials(t, user, project))
	require.NoError(t, err)
	return s
}

// issue gets a token of its own, so that revoking it hurts nobody.
func issue(t *testing.T, c keystone.Credentials) string {
	t.Helper()
	grant, err := keystone.Issue(t.Context(), c)
	require.NoError(t, err)
	return grant.Token
}

// revoke makes a token invalid, as its owner may.
func revoke(t *testing.T, token string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, setting(t, "MOSET_TEST_KEYSTONE")+"/auth/tokens", nil)
	require.NoError(t, err)
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("X-Subject-Token", token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
}

func TestTheRealKeystoneKeepsTheContract(t *testing.T) {
	authntest.TestVerifier(t, func(t *testing.T) authntest.Fixture {
		return authntest.Fixture{
			Verifier: keystone.NewVerifier(connect(t, "moset", "service"), 0),
			Barred:   keystone.NewVerifier(connect(t, "barred", "service"), 0),
			Project:  "demo",
			Scoped:   func(t *testing.T) string { return issue(t, credentials(t, "demo", "demo")) },
			Unscoped: func(t *testing.T) string { return issue(t, credentials(t, "demo", "")) },
			Revoke:   revoke,
		}
	})
}

func TestWhoMayNotLogInIsRefused(t *testing.T) {
	for name, change := range map[string]func(*keystone.Credentials){
		"wrong password":      func(c *keystone.Credentials) { c.Password = "xyzzy-plugh" },
		"unknown user":        func(c *keystone.Credentials) { c.UserName = "nobody" },
		"a project of others": func(c *keystone.Credentials) { c.ProjectName = "service" },
		"an unknown project":  func(c *keystone.Credentials) { c.ProjectName = "nowhere" },
	} {
		c := credentials(t, "demo", "demo")
		change(&c)
		_, err := keystone.Issue(t.Context(), c)
		require.ErrorIs(t, err, authn.ErrInvalidToken, name)
		assert.False(t, strings.Contains(err.Error(), c.Password), "an error holds no password")
	}
}

func TestARevokedTokenIsGoodUntilTheCacheForgetsIt(t *testing.T) {
	cached := authn.NewCached(keystone.NewVerifier(connect(t, "moset", "service"), 0), authn.CacheConfig{})
	token := issue(t, credentials(t, "demo", "demo"))
	id, err := cached.Verify(t.Context(), token)
	require.NoError(t, err)
	revoke(t, token)
	again, err := cached.Verify(t.Context(), token)
	require.NoError(t, err, "the price of the cache: see authn.CacheConfig.TTL")
	assert.Equal(t, id, again)
	_, err = authn.NewCached(keystone.NewVerifier(connect(t, "moset", "service"), 0), authn.CacheConfig{}).Verify(t.Context(), token)
	require.ErrorIs(t, err, authn.ErrInvalidToken)
}

func TestTheCatalogNamesGlanceAndOurOwnDaemons(t *testing.T) {
	s := connect(t, "demo", "demo")
	for _, kind := range []string{"image", "container-set", "container-registry"} {
		endpoint, err := s.Endpoint(kind)
		require.NoError(t, err)
		assert.Contains(t, endpoint, "http://127.0.0.1:")
	}
}
