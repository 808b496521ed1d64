package authntest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn/authntest"
)

func newBox(t *testing.T, dir string) *authntest.Keystone {
	t.Helper()
	k, err := authntest.New(authntest.Config{Dir: dir, Endpoints: map[string]string{"image": "http://glance"}, Users: []authntest.User{
		{Name: "demo", Password: "secret", Projects: map[string][]string{"demo": {"member"}}},
		{Name: "moset", Password: "secret", Projects: map[string][]string{"service": {"service"}}},
		{Name: "admin", Password: "secret", Projects: map[string][]string{"admin": {"admin"}}},
	}})
	require.NoError(t, err)
	return k
}

// call sends one request and returns status, body and the subject token of the answer.
func call(k http.Handler, method, path, token, subject, body string) (status int, text, issued string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("X-Subject-Token", subject)
	w := httptest.NewRecorder()
	k.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header().Get("X-Subject-Token")
}

func login(user, password, scope string) string {
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"domain":{"name":"Default"},"password":%q}}}%s}}`, user, password, scope)
}

func projectScope(name string) string {
	return fmt.Sprintf(`,"scope":{"project":{"name":%q,"domain":{"id":"default"}}}`, name)
}

func tokenOf(t *testing.T, k http.Handler, user, project string) string {
	t.Helper()
	scope := ""
	if project != "" {
		scope = projectScope(project)
	}
	status, body, token := call(k, "POST", "/v3/auth/tokens", "", "", login(user, "secret", scope))
	require.Equal(t, 201, status, body)
	return token
}

func TestWhoMayValidateWhat(t *testing.T) {
	k := newBox(t, "")
	demo, service, admin := tokenOf(t, k, "demo", "demo"), tokenOf(t, k, "moset", "service"), tokenOf(t, k, "admin", "admin")
	revoked, expired := tokenOf(t, k, "demo", "demo"), tokenOf(t, k, "demo", "demo")
	k.Revoke(revoked)
	k.Expire(expired)
	for _, c := range []struct {
		name, method, caller, subject, query string
		want                                 int
	}{
		{"the service, somebody", "GET", service, demo, "", 200},
		{"the service, by HEAD", "HEAD", service, demo, "", 403},
		{"an admin, by HEAD", "HEAD", admin, demo, "", 200},
		{"oneself", "GET", demo, demo, "", 200},
		{"a member, somebody", "GET", demo, service, "", 403},
		{"nobody", "GET", "", demo, "", 401},
		{"a bad token", "GET", "garbage", demo, "", 401},
		{"a revoked token", "GET", revoked, demo, "", 401},
		{"garbage", "GET", service, "garbage", "", 404},
		{"a revoked subject", "GET", service, revoked, "", 404},
		{"an expired subject", "GET", service, expired, "", 404},
		{"an expired subject, allowed", "GET", service, expired, "?allow_expired=1", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, _, _ := call(k, c.method, "/v3/auth/tokens"+c.query, c.caller, c.subject, "")
			assert.Equal(t, c.want, status)
		})
	}
}

func TestLoginsThatAreRefused(t *testing.T) {
	k := newBox(t, "")
	for name, body := range map[string]string{
		"wrong password":  login("demo", "wrong", ""),
		"unknown user":    login("nobody", "secret", ""),
		"foreign project": login("demo", "secret", projectScope("service")),
		"unknown project": login("demo", "secret", projectScope("nowhere")),
		"no method":       `{"auth":{"identity":{"methods":[]}}}`,
		"unknown method":  `{"auth":{"identity":{"methods":["magic"]}}}`,
		"bad token":       `{"auth":{"identity":{"methods":["token"],"token":{"id":"garbage"}}}}`,
		"strange scope":   login("demo", "secret", `,"scope":7`),
	} {
		status, _, _ := call(k, "POST", "/v3/auth/tokens", "", "", body)
		assert.Equal(t, 401, status, name)
	}
	status, _, _ := call(k, "POST", "/v3/auth/tokens", "", "", "{")
	assert.Equal(t, 400, status)
}

func TestTheCatalogComesWithAScopedTokenUnlessItIsNotWanted(t *testing.T) {
	k := newBox(t, "")
	_, scoped, _ := call(k, "POST", "/v3/auth/tokens", "", "", login("demo", "secret", projectScope("demo")))
	assert.Contains(t, scoped, "http://glance")
	_, bare, _ := call(k, "POST", "/v3/auth/tokens?nocatalog", "", "", login("demo", "secret", projectScope("demo")))
	assert.NotContains(t, bare, "http://glance")
	_, unscoped, _ := call(k, "POST", "/v3/auth/tokens", "", "", login("demo", "secret", `,"scope":"unscoped"`))
	assert.NotContains(t, unscoped, "http://glance")
	assert.NotContains(t, unscoped, `"project"`)
}

func TestUsersProjectsTokensAndCredentialsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	k := newBox(t, dir)
	token := tokenOf(t, k, "demo", "demo")
	_, body, _ := call(k, "GET", "/v3/auth/tokens", token, token, "")
	var who struct {
		Token struct{ User, Project struct{ ID string } } `json:"token"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &who))
	status, created, _ := call(k, "POST", "/v3/users/"+who.Token.User.ID+"/application_credentials", token, "", `{"application_credential":{"name":"ci","secret":"s3cret"}}`)
	require.Equal(t, 201, status, created)

	k = newBox(t, dir)
	status, again, _ := call(k, "GET", "/v3/auth/tokens", token, token, "")
	require.Equal(t, 200, status)
	assert.JSONEq(t, body, again)
	status, _, _ = call(k, "POST", "/v3/auth/tokens", "", "", fmt.Sprintf(`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"name":"ci","secret":"s3cret","user":{"id":%q}}}}}`, who.Token.User.ID))
	assert.Equal(t, 201, status)
}

func TestTheDirectoryIsForAdmins(t *testing.T) {
	k := newBox(t, "")
	demo, admin := tokenOf(t, k, "demo", "demo"), tokenOf(t, k, "admin", "admin")
	for path, want := range map[string]int{"/v3/projects": 403, "/v3/users": 403, "/v3/projects/none": 404, "/v3/users/none": 404, "/v3/auth/projects": 200, "/v3/domains": 200, "/v3/domains/default": 200, "/v3/domains/x": 404, "/v3/auth/catalog": 200, "/v3/nothing": 404} {
		status, body, _ := call(k, "GET", path, demo, "", "")
		assert.Equal(t, want, status, "%s: %s", path, body)
	}
	_, projects, _ := call(k, "GET", "/v3/projects?name=demo", admin, "", "")
	assert.Contains(t, projects, `"demo"`)
	assert.NotContains(t, projects, `"service"`)
	_, users, _ := call(k, "GET", "/v3/users", admin, "", "")
	assert.Contains(t, users, `"moset"`)
	for _, path := range []string{"/v3/projects", "/v3/users"} {
		status, _, _ := call(k, "GET", path, "", "", "")
		assert.Equal(t, 401, status)
	}
}

func TestATokenCanBeGivenBack(t *testing.T) {
	k := newBox(t, "")
	token := tokenOf(t, k, "demo", "demo")
	status, _, _ := call(k, "DELETE", "/v3/auth/tokens", token, token, "")
	assert.Equal(t, 204, status)
	status, _, _ = call(k, "DELETE", "/v3/auth/tokens", token, token, "")
	assert.Equal(t, 401, status)
}

func TestTheKnobs(t *testing.T) {
	k := newBox(t, "")
	before := k.Calls()
	k.SetDown(true)
	status, _, _ := call(k, "GET", "/v3", "", "", "")
	assert.Equal(t, 503, status)
	k.SetDown(false)
	k.SetLatency(20 * time.Millisecond)
	begun := time.Now()
	status, body, _ := call(k, "GET", "/v3", "", "", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, "v3.14")
	assert.GreaterOrEqual(t, time.Since(begun), 20*time.Millisecond)
	status, _, _ = call(k, "GET", "/", "", "", "")
	assert.Equal(t, 300, status)
	assert.Equal(t, before+3, k.Calls())
}

func FuzzLogin(f *testing.F) {
	k, err := authntest.New(authntest.Config{})
	require.NoError(f, err)
	f.Add([]byte(login("demo", "secret", projectScope("demo"))))
	f.Add([]byte(`{"auth":{"identity":{"methods":["token"]},"scope":{"project":{}}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := httptest.NewRecorder()
		k.ServeHTTP(w, httptest.NewRequest("POST", "/v3/auth/tokens", bytes.NewReader(body)))
		assert.Contains(t, []int{400, 401}, w.Code, "nobody has an account here")
	})
}
