// Package openstack holds the tests of the whole on a real Keystone, Glance and Swift: a cloud in process, the
// real command line, the stock openstack client, a real Docker Engine and a real Open vSwitch. make test
// provides all of them.
package openstack

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/allinone/stack"
	"github.com/moset/moset/daemons/moset/command"
	"github.com/moset/moset/pkg/authn/keystone"
)

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: run these tests with make test", name)
	return value
}

// cloud is region, host and registry on the real services.
type cloud struct {
	t   *testing.T
	env map[string]string // of user demo
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	dir, err := os.MkdirTemp("", "moset-openstack-") // sockets in it must have short names
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	auth, password := setting(t, "MOSET_TEST_KEYSTONE"), setting(t, "MOSET_TEST_KEYSTONE_PASSWORD")
	ctx, cancel := context.WithCancel(context.Background())
	s, err := stack.Start(ctx, stack.Config{
		StateDir: dir, Ports: stack.AnyPorts, Bridge: "br-openstack", HostName: "br-openstack", Datapath: "netdev",
		DockerHost: setting(t, "MOSET_TEST_DOCKER"), OVSRunDir: setting(t, "MOSET_TEST_OVS_RUNDIR"),
		Cloud:  &keystone.Credentials{AuthURL: auth, UserName: "moset", Password: password, ProjectName: "service"},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		cancel()
	}
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, s.Wait())
	})
	return &cloud{t, map[string]string{
		"OS_AUTH_URL": auth, "OS_IDENTITY_API_VERSION": "3", "OS_USERNAME": "demo", "OS_PASSWORD": password, "OS_PROJECT_NAME": "demo",
		"OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
		"MOSET_REGISTRY": s.Registry(), "MOSET_REGION_URL": s.RegionURL(),
		"DOCKER_HOST": setting(t, "MOSET_TEST_DOCKER"), "DOCKER_CONFIG": dir,
	}}
}

// program runs a program as user demo and returns what it prints.
func (c *cloud) program(args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = os.Environ()
	for k, v := range c.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	require.NoError(c.t, cmd.Run(), "%s: %s%s", strings.Join(args, " "), &out, &problem)
	return strings.TrimSpace(out.String())
}

// moset runs our own command line as user demo.
func (c *cloud) moset(args ...string) string {
	c.t.Helper()
	for k, v := range c.env {
		c.t.Setenv(k, v)
	}
	var out, problem bytes.Buffer
	require.Zero(c.t, command.Execute(args, &out, &problem), "moset %s: %s%s", strings.Join(args, " "), &out, &problem)
	return strings.TrimSpace(out.String())
}

func (c *cloud) push() {
	c.t.Helper()
	registry := c.env["MOSET_REGISTRY"]
	c.program("../../scripts/images", registry+"/demo")
	c.program("docker", "login", registry, "-u", "demo/demo", "-p", c.env["OS_PASSWORD"])
	for _, name := range []string{"/demo/web:v1", "/demo/logagent:v1"} {
		c.program("docker", "push", "-q", registry+name)
		c.program("docker", "rmi", registry+name)
	}
}

func TestImagesAndServersOnRealServices(t *testing.T) {
	c := newCloud(t)
	c.push()

	t.Run("the stock client sees tags, and no layers", func(t *testing.T) {
		assert.Greater(t, len(c.program("openstack", "token", "issue", "-f", "value", "-c", "id")), 100)
		names := strings.Fields(c.program("openstack", "image", "list", "-f", "value", "-c", "Name"))
		assert.ElementsMatch(t, []string{"demo/web@v1", "demo/logagent@v1"}, names)
		var shown struct {
			Status     string
			Properties map[string]any
		}
		require.NoError(t, json.Unmarshal([]byte(c.program("openstack", "image", "show", "demo/web@v1", "-f", "json")), &shown))
		assert.Equal(t, "active", shown.Status)
		assert.Contains(t, shown.Properties["docker_manifest"], "sha256:")
	})

	t.Run("docker pulls what was pushed", func(t *testing.T) {
		registry := c.env["MOSET_REGISTRY"]
		c.program("docker", "pull", "-q", registry+"/demo/web:v1")
		layers := strings.Fields(c.moset("image", "show", "demo/web:v1", "--format", "{{range .layers}}{{.diff_id}} {{end}}"))
		var local []string
		require.NoError(t, json.Unmarshal([]byte(c.program("docker", "inspect", "-f", "{{json .RootFS.Layers}}", registry+"/demo/web:v1")), &local))
		require.Len(t, layers, len(local))
		for i, l := range layers {
			assert.Equal(t, local[len(local)-1-i], l, "by walking the parents")
		}
		c.program("docker", "rmi", registry+"/demo/web:v1")
	})

	t.Run("a set is created and deleted", func(t *testing.T) {
		assert.Contains(t, c.moset("server", "create", "web", "--app", "web=demo/web:v1", "--sidecar", "log=demo/logagent:v1",
			"--volume", "logs:/var/log/app", "--memory", "64Mi"), "done in")
		assert.Equal(t, "running", c.moset("server", "show", "web", "--format", "{{.observed.state}}"))
		c.moset("server", "delete", "web")
		assert.Equal(t, "[]", c.moset("server", "list", "--json"))
	})

	for _, name := range []string{"demo/web:v1", "demo/logagent:v1"} {
		c.moset("image", "rm", name)
	}
	assert.Empty(t, c.program("openstack", "image", "list", "-f", "value", "-c", "Name"))
}
