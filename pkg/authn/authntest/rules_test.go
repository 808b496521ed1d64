package authntest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn/authntest"
)

// described is the part of a token's body that tests look at.
type described struct {
	Token struct {
		User      struct{ ID string }
		Project   *struct{ ID string }
		Roles     []struct{ ID, Name string }
		ExpiresAt time.Time `json:"expires_at"`
	} `json:"token"`
}

func describe(t *testing.T, k http.Handler, token string) (d described) {
	t.Helper()
	status, body, _ := call(k, "GET", "/v3/auth/tokens", token, token, "")
	require.Equal(t, 200, status, body)
	require.NoError(t, json.Unmarshal([]byte(body), &d))
	return d
}

func byToken(token, scope string) string {
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["token"],"token":{"id":%q}}%s}}`, token, scope)
}

func byCred(user, name, secret, scope string) string {
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"name":%q,"secret":%q,"user":{"id":%q}}}%s}}`, name, secret, user, scope)
}

func TestATokenFollowsItsUsersRoles(t *testing.T) {
	k := newBox(t, "")
	demo, service := tokenOf(t, k, "demo", "demo"), tokenOf(t, k, "moset", "service")
	status := func() int { s, _, _ := call(k, "GET", "/v3/auth/tokens", service, demo, ""); return s }
	expiredToo := func() int {
		s, _, _ := call(k, "GET", "/v3/auth/tokens?allow_expired=1", service, demo, "")
		return s
	}
	k.SetRoles("demo", "demo")
	assert.Equal(t, []int{404, 404}, []int{status(), expiredToo()}, "the role is gone")
	k.SetRoles("demo", "demo", "member")
	assert.Equal(t, 200, status(), "the role is back")
	k.SetDisabled("demo", true)
	assert.Equal(t, []int{404, 404}, []int{status(), expiredToo()}, "the user is barred")
	s, _, _ := call(k, "POST", "/v3/auth/tokens", "", "", login("demo", "secret", ""))
	assert.Equal(t, 401, s)
	k.SetDisabled("demo", false)
	assert.Equal(t, 404, status(), "the user is back, the token is not")
	tokenOf(t, k, "demo", "demo")
	k.SetRoles("nobody", "demo", "admin")
	k.SetDisabled("nobody", true)
}

func TestATokenMadeFromATokenEndsWithIt(t *testing.T) {
	now := time.Now()
	k, err := authntest.New(authntest.Config{Clock: func() time.Time { return now }, Users: []authntest.User{{Name: "demo", Password: "secret", Projects: map[string][]string{"demo": {"member"}}}}})
	require.NoError(t, err)
	first := tokenOf(t, k, "demo", "demo")
	ends := describe(t, k, first).Token.ExpiresAt
	now = now.Add(30 * time.Minute)
	status, _, second := call(k, "POST", "/v3/auth/tokens", "", "", byToken(first, projectScope("demo")))
	require.Equal(t, 201, status)
	assert.Equal(t, ends, describe(t, k, second).Token.ExpiresAt)
	_, _, bare := call(k, "POST", "/v3/auth/tokens", "", "", byToken(first, ""))
	assert.Nil(t, describe(t, k, bare).Token.Project, "without a scope it is unscoped")
	status, _, _ = call(k, "GET", "/v3/auth/catalog", bare, "", "")
	assert.Equal(t, 403, status)
	now = now.Add(30 * time.Minute)
	status, _, _ = call(k, "POST", "/v3/auth/tokens", "", "", byToken(first, ""))
	assert.Equal(t, 401, status)
}

func TestOnlyItsUserOrAnAdminEndsAToken(t *testing.T) {
	k := newBox(t, "")
	demo, service, admin := tokenOf(t, k, "demo", "demo"), tokenOf(t, k, "moset", "service"), tokenOf(t, k, "admin", "admin")
	for _, c := range []struct {
		caller, subject string
		want            int
	}{{demo, service, 403}, {demo, "garbage", 404}, {admin, service, 204}, {admin, service, 404}, {service, demo, 401}, {demo, demo, 204}} {
		status, _, _ := call(k, "DELETE", "/v3/auth/tokens", c.caller, c.subject, "")
		assert.Equal(t, c.want, status)
	}
}

func TestAnUnknownDomainHoldsNobody(t *testing.T) {
	k := newBox(t, "")
	for body, want := range map[string]int{
		`{"name":"demo","domain":{"id":"default"},"password":"secret"}`:   201,
		`{"name":"demo","domain":{"name":"default"},"password":"secret"}`: 201,
		`{"name":"demo","domain":{"name":"Other"},"password":"secret"}`:   401,
		`{"name":"demo","domain":{"id":"other"},"password":"secret"}`:     401,
	} {
		status, _, _ := call(k, "POST", "/v3/auth/tokens", "", "", `{"auth":{"identity":{"methods":["password"],"password":{"user":`+body+`}}}}`)
		assert.Equal(t, want, status, body)
	}
	status, _, _ := call(k, "POST", "/v3/auth/tokens", "", "", login("demo", "secret", `,"scope":{"project":{"name":"demo","domain":{"name":"Other"}}}`))
	assert.Equal(t, 401, status)
}

func TestAnApplicationCredentialGivesNoMoreThanItSays(t *testing.T) {
	now := time.Now()
	k, err := authntest.New(authntest.Config{Clock: func() time.Time { return now }, Users: []authntest.User{
		{Name: "demo", Password: "secret", Projects: map[string][]string{"demo": {"member", "reader"}, "second": {"admin"}}},
	}})
	require.NoError(t, err)
	token := tokenOf(t, k, "demo", "demo")
	me := describe(t, k, token).Token.User.ID
	creds := "/v3/users/" + me + "/application_credentials"
	ends := now.Add(10 * time.Minute).UTC()
	status, body, _ := call(k, "POST", creds, token, "", fmt.Sprintf(`{"application_credential":{"name":"ro","secret":"s","roles":[{"name":"reader"}],"expires_at":%q}}`, ends.Format("2006-01-02T15:04:05")))
	require.Equal(t, 201, status, body)
	var made struct {
		Cred struct{ ID string } `json:"application_credential"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &made))

	status, body, reader := call(k, "POST", "/v3/auth/tokens", "", "", byCred(me, "ro", "s", ""))
	require.Equal(t, 201, status, body)
	d := describe(t, k, reader)
	require.Len(t, d.Token.Roles, 1)
	assert.Equal(t, "reader", d.Token.Roles[0].Name)
	assert.WithinDuration(t, ends, d.Token.ExpiresAt, time.Second, "it ends with the credential")

	for name, c := range map[string]struct {
		method, path, token, body string
		want                      int
	}{
		"another project":          {"POST", "/v3/auth/tokens", "", byCred(me, "ro", "s", projectScope("second")), 401},
		"another project by token": {"POST", "/v3/auth/tokens", "", byToken(reader, projectScope("second")), 401},
		"unscoped":                 {"POST", "/v3/auth/tokens", "", byToken(reader, `,"scope":"unscoped"`), 401},
		"wrong secret":             {"POST", "/v3/auth/tokens", "", byCred(me, "ro", "x", ""), 401},
		"another credential":       {"POST", creds, reader, `{"application_credential":{"name":"more"}}`, 403},
		"its own end":              {"DELETE", creds + "/" + made.Cred.ID, reader, "", 403},
		"the same name again":      {"POST", creds, token, `{"application_credential":{"name":"ro"}}`, 409},
		"a role not held":          {"POST", creds, token, `{"application_credential":{"name":"x","roles":[{"name":"admin"}]}}`, 400},
		"a strange time":           {"POST", creds, token, `{"application_credential":{"name":"x","expires_at":"soon"}}`, 400},
		"no name":                  {"POST", creds, token, `{"application_credential":{}}`, 400},
		"somebody else's":          {"POST", "/v3/users/other/application_credentials", token, `{"application_credential":{"name":"x"}}`, 403},
		"look at it":               {"GET", creds + "/" + made.Cred.ID, token, "", 200},
		"look at none":             {"GET", creds + "/none", token, "", 404},
	} {
		status, body, _ := call(k, c.method, c.path, c.token, "", c.body)
		assert.Equal(t, c.want, status, "%s: %s", name, body)
	}
	_, list, _ := call(k, "GET", creds+"?name=other", token, "", "")
	assert.NotContains(t, list, made.Cred.ID)

	now = now.Add(11 * time.Minute)
	status, _, _ = call(k, "POST", "/v3/auth/tokens", "", "", byCred(me, "ro", "s", ""))
	assert.Equal(t, 401, status, "the credential is over")
}

func TestADeletedCredentialTakesItsTokensAlong(t *testing.T) {
	k := newBox(t, "")
	token := tokenOf(t, k, "demo", "demo")
	me := describe(t, k, token).Token.User.ID
	creds := "/v3/users/" + me + "/application_credentials"
	_, body, _ := call(k, "POST", creds, token, "", `{"application_credential":{"name":"ci","secret":"s"}}`)
	var made struct {
		Cred struct{ ID string } `json:"application_credential"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &made))
	_, _, by := call(k, "POST", "/v3/auth/tokens", "", "", byCred(me, "ci", "s", ""))
	require.NotEmpty(t, by)
	status, _, _ := call(k, "DELETE", creds+"/"+made.Cred.ID, token, "", "")
	require.Equal(t, 204, status)
	status, _, _ = call(k, "GET", "/v3/auth/tokens", by, by, "")
	assert.Equal(t, 401, status)
	describe(t, k, token)
}

func TestTheDirectoryHoldsNoSecretInTheClear(t *testing.T) {
	dir := t.TempDir()
	k := newBox(t, dir)
	token := tokenOf(t, k, "demo", "demo")
	b, err := os.ReadFile(filepath.Join(dir, "keystone.json"))
	require.NoError(t, err)
	assert.Contains(t, string(b), `"demo"`)
	assert.NotContains(t, string(b), token)
	assert.NotContains(t, string(b), `"secret"`)
	k.Revoke(token)
	status, _, _ := call(newBox(t, dir), "GET", "/v3/auth/tokens", token, token, "")
	assert.Equal(t, 401, status, "what was revoked stays so over a restart")
}

func TestAStateThatCannotBeReadIsSaid(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keystone.json")
	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	_, err := authntest.New(authntest.Config{Dir: dir})
	assert.ErrorContains(t, err, file)
	require.NoError(t, os.WriteFile(file, []byte(`{"users":[{"id":"1","name":"demo"}]}`), 0o600))
	k := newBox(t, dir)
	status, _, _ := call(k, "POST", "/v3/auth/tokens", "", "", login("moset", "secret", projectScope("service")))
	assert.Equal(t, 201, status, "what is missing in the file is empty")
}

func FuzzCreateApplicationCredential(f *testing.F) {
	k, err := authntest.New(authntest.Config{Users: []authntest.User{{Name: "demo", Password: "secret", Projects: map[string][]string{"demo": {"member"}}}}})
	require.NoError(f, err)
	_, _, token := call(k, "POST", "/v3/auth/tokens", "", "", login("demo", "secret", projectScope("demo")))
	_, body, _ := call(k, "GET", "/v3/auth/tokens", token, token, "")
	var d described
	require.NoError(f, json.Unmarshal([]byte(body), &d))
	f.Add(`{"application_credential":{"name":"a","roles":[{"id":"x"}],"expires_at":"2030-01-01T00:00:00Z"}}`)
	f.Add(`{"application_credential":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		status, _, _ := call(k, "POST", "/v3/users/"+d.Token.User.ID+"/application_credentials", token, "", body)
		assert.Contains(t, []int{201, 400, 409}, status)
	})
}
