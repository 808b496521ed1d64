package e2e

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/moset/command"
	"github.com/moset/moset/pkg/authn/keystone"
)

// client runs the command line with the environment as it is.
func client(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	code := command.Execute(args, &out, &out)
	return out.String(), code
}

// token of a user.
func (c *cloud) token(t *testing.T, user string) string {
	t.Helper()
	env := c.Environment(user)
	g, err := keystone.Issue(t.Context(), keystone.Credentials{AuthURL: env["OS_AUTH_URL"], UserName: user, Password: env["OS_PASSWORD"], ProjectName: env["OS_PROJECT_NAME"]})
	require.NoError(t, err)
	return g.Token
}

// seedImages pushes through the shared cloud's engine, for a cloud that has none.
func seedImages(t *testing.T, c *cloud) {
	t.Helper()
	with := *c
	with.cfg.DockerHost = shared.cfg.DockerHost
	require.NoError(t, with.pushImages())
}
