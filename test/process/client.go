package process

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/set/setapi"
)

// Token issues a token to a user.
func (c *Cloud) Token(t testing.TB, user string) string {
	t.Helper()
	g, err := keystone.Issue(t.Context(), keystone.Credentials{AuthURL: c.AuthURL, UserName: user, Password: "secret-" + user, ProjectName: project(user)})
	require.NoError(t, err)
	return g.Token
}

// Client calls the region with a token, from the test's own network namespace. Every call but a wait for a
// task ends within half a minute.
func (c *Cloud) Client(token string) *setapi.ControllerClient {
	client := &http.Client{Transport: &authn.Transport{Source: authn.StaticToken(token)}, Timeout: 30 * time.Second}
	return setapi.NewControllerClient(setapi.ClientConfig{URL: c.Region.URL, HTTP: client})
}
