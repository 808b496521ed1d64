package integration

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// identity is the real Keystone, as far as these tests need it: projects that nobody has used yet.
type identity struct {
	url, password string
	admin         string // token
}

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: start the services with scripts/openstack, or run make test", name)
	return value
}

func newIdentity(t *testing.T) *identity {
	t.Helper()
	i := &identity{url: setting(t, "MOSET_TEST_KEYSTONE"), password: setting(t, "MOSET_TEST_KEYSTONE_PASSWORD")}
	i.admin = i.token(t, "admin", "admin")
	return i
}

// call sends one request as the administrator and decodes the answer into out.
func (i *identity) call(t *testing.T, method, path string, body, out any) http.Header {
	t.Helper()
	var send bytes.Buffer
	if body != nil {
		require.NoError(t, json.NewEncoder(&send).Encode(body))
	}
	req, err := http.NewRequestWithContext(t.Context(), method, i.url+path, &send)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Auth-Token", i.admin)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Less(t, resp.StatusCode, 300, "%s %s: %s", method, path, text)
	if out != nil {
		require.NoError(t, json.Unmarshal(text, out))
	}
	return resp.Header
}

type fields map[string]any

// token logs a user in to a project, which is a name or, when it is new, an id.
func (i *identity) token(t *testing.T, user, project string) string {
	t.Helper()
	scope := fields{"name": project, "domain": fields{"id": "default"}}
	if len(project) == 32 {
		scope = fields{"id": project}
	}
	login := fields{"methods": []string{"password"}, "password": fields{"user": fields{"name": user, "domain": fields{"id": "default"}, "password": i.password}}}
	header := i.call(t, http.MethodPost, "/auth/tokens?nocatalog", fields{"auth": fields{"identity": login, "scope": fields{"project": scope}}}, nil)
	return header.Get("X-Subject-Token")
}

// newProject makes a project with a member and returns its id.
func (i *identity) newProject(t *testing.T, stem, member string) string {
	t.Helper()
	var users struct{ Users []struct{ ID string } }
	i.call(t, http.MethodGet, "/users?name="+member, nil, &users)
	var roles struct{ Roles []struct{ ID string } }
	i.call(t, http.MethodGet, "/roles?name=member", nil, &roles)
	require.Len(t, users.Users, 1)
	require.Len(t, roles.Roles, 1)
	var made struct{ Project struct{ ID string } }
	i.call(t, http.MethodPost, "/projects", fields{"project": fields{"name": stem + "-" + rand.Text(), "domain_id": "default"}}, &made)
	i.call(t, http.MethodPut, "/projects/"+made.Project.ID+"/users/"+users.Users[0].ID+"/roles/"+roles.Roles[0].ID, nil, nil)
	return made.Project.ID
}
