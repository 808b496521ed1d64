package keystone_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/authn/keystone"
)

// box starts a Keystone with a member, a service user and an admin.
func box(t *testing.T, ttl time.Duration) (*authntest.Keystone, keystone.Credentials) {
	t.Helper()
	role := func(project string, roles ...string) map[string][]string { return map[string][]string{project: roles} }
	k, err := authntest.New(authntest.Config{TokenTTL: ttl, Users: []authntest.User{
		{Name: "demo", Password: "demo-secret", Projects: role("demo", "member")},
		{Name: "moset", Password: "moset-secret", Projects: role("service", "service")},
		{Name: "other", Password: "other-secret", Projects: role("other", "member")},
	}})
	require.NoError(t, err)
	url, stop := k.Start()
	t.Cleanup(stop)
	return k, keystone.Credentials{AuthURL: url}
}

func demo(c keystone.Credentials) keystone.Credentials {
	c.UserName, c.Password, c.ProjectName = "demo", "demo-secret", "demo"
	return c
}

func service(c keystone.Credentials) keystone.Credentials {
	c.UserName, c.Password, c.ProjectName = "moset", "moset-secret", "service"
	return c
}

func issue(t *testing.T, c keystone.Credentials) string {
	t.Helper()
	g, err := keystone.Issue(t.Context(), c)
	require.NoError(t, err)
	return g.Token
}

func connect(t *testing.T, c keystone.Credentials) *keystone.Session {
	t.Helper()
	s, err := keystone.Connect(t.Context(), c)
	require.NoError(t, err)
	return s
}

func TestVerifier(t *testing.T) {
	authntest.TestVerifier(t, func(t *testing.T) authntest.Fixture {
		k, c := box(t, 0)
		unscoped, other := demo(c), c
		other.UserName, other.Password, other.ProjectName = "other", "other-secret", "other"
		unscoped.ProjectName = ""
		return authntest.Fixture{
			Verifier: keystone.NewVerifier(connect(t, service(c)), 0), Project: "demo",
			Scoped:   func(t *testing.T) string { return issue(t, demo(c)) },
			Unscoped: func(t *testing.T) string { return issue(t, unscoped) },
			Revoke:   func(_ *testing.T, token string) { k.Revoke(token) },
			Expire:   func(_ *testing.T, token string) { k.Expire(token) },
			Down:     func(*testing.T) { k.SetDown(true) },
			Barred:   keystone.NewVerifier(connect(t, other), 0),
		}
	})
}

func TestAVerifierWithoutTheRoleSaysWhatItNeeds(t *testing.T) {
	_, c := box(t, 0)
	v := keystone.NewVerifier(connect(t, demo(c)), 0)
	other := service(c)
	_, err := v.Verify(t.Context(), issue(t, other))
	assert.ErrorIs(t, err, authn.ErrUnavailable)
	assert.ErrorContains(t, err, "needs the role service or admin")
}

func TestAVerifierWhoseOwnUserIsBarredBlamesItselfNotTheToken(t *testing.T) {
	k, c := box(t, 0)
	v := keystone.NewVerifier(connect(t, service(c)), 0)
	token := issue(t, demo(c))
	k.SetDisabled("moset", true)
	_, err := v.Verify(t.Context(), token)
	require.ErrorIs(t, err, authn.ErrUnavailable)
	assert.ErrorContains(t, err, "its user must be enabled")
	assert.NotContains(t, err.Error(), token)
	k.SetDisabled("moset", false)
	_, err = v.Verify(t.Context(), token)
	assert.NoError(t, err, "it recovers by itself")
}

func TestAVerifierGivesUpOnASlowKeystone(t *testing.T) {
	k, c := box(t, 0)
	v := keystone.NewVerifier(connect(t, service(c)), 20*time.Millisecond)
	k.SetLatency(200 * time.Millisecond)
	_, err := v.Verify(t.Context(), "any")
	assert.ErrorIs(t, err, authn.ErrUnavailable)
}

func TestNothingUnsendableReachesKeystone(t *testing.T) {
	k, c := box(t, 0)
	v := keystone.NewVerifier(connect(t, service(c)), 0)
	before := k.Calls()
	for _, token := range []string{"", " ", "a\nb", string(make([]byte, authn.MaxToken+1))} {
		_, err := v.Verify(t.Context(), token)
		assert.ErrorIs(t, err, authn.ErrInvalidToken)
	}
	assert.Equal(t, before, k.Calls())
}

func TestAVerifierRenewsItsOwnTokenWhenItIsRevoked(t *testing.T) {
	k, c := box(t, 0)
	s := connect(t, service(c))
	v := keystone.NewVerifier(s, 0)
	own, err := s.Token(t.Context())
	require.NoError(t, err)
	k.Revoke(own)
	_, err = v.Verify(t.Context(), issue(t, demo(c)))
	assert.NoError(t, err)
}

func TestASessionRenewsATokenThatIsAboutToExpire(t *testing.T) {
	_, c := box(t, 30*time.Second) // less than the margin: every use renews
	s := connect(t, demo(c))
	first, err := s.Token(t.Context())
	require.NoError(t, err)
	second, err := s.Token(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, first, second)
	assert.Equal(t, "demo", s.Identity().ProjectName)
}

func TestASessionKnowsItsEndpoints(t *testing.T) {
	k, c := box(t, 0)
	k.SetEndpoint("image", "http://glance:9292")
	s := connect(t, demo(c))
	url, err := s.Endpoint("image")
	require.NoError(t, err)
	assert.Equal(t, "http://glance:9292", url)
	_, err = s.Endpoint("container-set")
	assert.ErrorContains(t, err, `no public endpoint of type "container-set"`)
	elsewhere := demo(c)
	elsewhere.Region = "elsewhere"
	_, err = connect(t, elsewhere).Endpoint("image")
	assert.Error(t, err)
	assert.Equal(t, c.AuthURL, s.AuthURL())
	assert.NotNil(t, s.Provider())
}

func TestCredentialsThatAreRefused(t *testing.T) {
	k, c := box(t, 0)
	wrong := demo(c)
	wrong.Password = "mistaken"
	foreign := demo(c)
	foreign.ProjectName = "service"
	for name, creds := range map[string]keystone.Credentials{"password": wrong, "project": foreign} {
		_, err := keystone.Connect(t.Context(), creds)
		assert.ErrorIs(t, err, authn.ErrInvalidToken, name)
		_, err = keystone.Issue(t.Context(), creds)
		assert.ErrorIs(t, err, authn.ErrInvalidToken, name)
		assert.NotContains(t, err.Error(), creds.Password)
	}
	verifier := keystone.NewVerifier(connect(t, demo(c)), 0)
	k.SetDown(true)
	_, err := keystone.Connect(t.Context(), demo(c))
	assert.ErrorIs(t, err, authn.ErrUnavailable)
	_, err = verifier.Verify(t.Context(), "some-token")
	assert.EqualError(t, err, "verify token at "+c.AuthURL+": the identity service does not answer: it answered 503")
	_, err = keystone.Connect(t.Context(), keystone.Credentials{AuthURL: "http://127.0.0.1:1/v3", UserName: "x", Password: "y"})
	assert.ErrorIs(t, err, authn.ErrUnavailable)
}

func TestAnApplicationCredentialBringsItsProject(t *testing.T) {
	_, c := box(t, 0)
	s := connect(t, demo(c))
	var body struct {
		Cred struct{ ID, Secret string } `json:"application_credential"`
	}
	_, err := s.Provider().Request(t.Context(), "POST", c.AuthURL+"/users/"+s.Identity().UserID+"/application_credentials",
		jsonBody(map[string]any{"application_credential": map[string]any{"name": "ci"}}, &body, http.StatusCreated))
	require.NoError(t, err)
	by := keystone.Credentials{AuthURL: c.AuthURL, ApplicationCredentialID: body.Cred.ID, ApplicationCredentialSecret: body.Cred.Secret}
	g, err := keystone.Issue(t.Context(), by)
	require.NoError(t, err)
	assert.Equal(t, "demo", g.Identity.ProjectName)
	by.ApplicationCredentialSecret = "mistaken"
	_, err = keystone.Issue(t.Context(), by)
	assert.ErrorIs(t, err, authn.ErrInvalidToken)
}

func TestATokenCanBeTheCredential(t *testing.T) {
	_, c := box(t, 0)
	c.Token, c.ProjectName = issue(t, demo(c)), "demo"
	s := connect(t, c)
	assert.Equal(t, "demo", s.Identity().UserName)
	_, err := s.Refresh(t.Context(), "x")
	assert.ErrorContains(t, err, "cannot be renewed")
}

func TestCredentialsComeFromTheEnvironment(t *testing.T) {
	clearEnv(t)
	_, err := keystone.FromEnv("")
	require.ErrorIs(t, err, keystone.ErrNoCredentials)
	for k, v := range map[string]string{"OS_AUTH_URL": "http://k/v3", "OS_USERNAME": "demo", "OS_PASSWORD": "s", "OS_PROJECT_NAME": "p", "OS_USER_DOMAIN_NAME": "d", "OS_REGION_NAME": "r"} {
		t.Setenv(k, v)
	}
	c, err := keystone.FromEnv("")
	require.NoError(t, err)
	assert.Equal(t, keystone.Credentials{AuthURL: "http://k/v3", UserName: "demo", Password: "s", ProjectName: "p", UserDomainName: "d", Region: "r"}, c)
	t.Setenv("OS_CACERT", "/nonexistent")
	_, err = keystone.FromEnv("")
	assert.ErrorContains(t, err, "OS_CACERT")
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, []byte("no certificate"), 0o600))
	t.Setenv("OS_CACERT", file)
	_, err = keystone.FromEnv("")
	assert.ErrorContains(t, err, "holds no certificate")
}

func TestCredentialsComeFromCloudsYAML(t *testing.T) {
	clearEnv(t)
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(file, []byte("clouds:\n  box:\n    region_name: r\n    auth: {auth_url: http://k/v3, username: demo, password: s, project_name: p, user_domain_name: d, project_domain_name: d}\n"), 0o600))
	t.Setenv("OS_CLIENT_CONFIG_FILE", file)
	c, err := keystone.FromEnv("box")
	require.NoError(t, err)
	assert.Equal(t, "http://k/v3", c.AuthURL)
	assert.Equal(t, "demo", c.UserName)
	assert.Equal(t, "p", c.ProjectName)
	assert.Equal(t, "r", c.Region)
	t.Setenv("OS_CLOUD", "nowhere")
	_, err = keystone.FromEnv("")
	assert.ErrorContains(t, err, `cloud "nowhere"`)
}

func clearEnv(t *testing.T) {
	t.Helper()
	for _, e := range os.Environ() {
		if len(e) > 3 && e[:3] == "OS_" {
			name, _, _ := strings.Cut(e, "=")
			t.Setenv(name, "")
		}
	}
}
