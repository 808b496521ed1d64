package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/allinone/stack"
	"github.com/moset/moset/daemons/moset/command"
)

// cloud is a whole cloud with its own state, on the private Docker Engine and Open vSwitch of the test run.
type cloud struct {
	cfg stack.Config
	*stack.Stack
	cancel  context.CancelFunc
	created []string // ids of the servers made by createWeb
}

// newCloud starts a cloud of its own for one test; bridges keep clouds apart.
func newCloud(t *testing.T, bridge string, change func(*stack.Config)) *cloud {
	t.Helper()
	dir, err := os.MkdirTemp("", "moset-e2e-")
	require.NoError(t, err)
	c := &cloud{cfg: config(dir, bridge)}
	if change != nil {
		change(&c.cfg)
	}
	c.start(t)
	t.Cleanup(func() {
		c.stop(t)
		_ = os.RemoveAll(dir)
	})
	return c
}

func (c *cloud) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := stack.Start(ctx, c.cfg)
	if err != nil {
		cancel()
	}
	require.NoError(t, err)
	c.Stack, c.cancel = s, cancel
}

func (c *cloud) stop(t *testing.T) {
	t.Helper()
	if c.cancel == nil {
		return
	}
	c.cancel()
	c.cancel = nil
	require.NoError(t, c.Wait())
}

// run runs one command line as a user and returns its output and exit code.
func (c *cloud) run(t *testing.T, user string, args ...string) (out, errOut string, code int) {
	t.Helper()
	for k, v := range c.Environment(user) {
		t.Setenv(k, v)
	}
	t.Setenv("DOCKER_HOST", c.cfg.DockerHost)
	var o, e bytes.Buffer
	code = command.Execute(args, &o, &e)
	return o.String(), e.String(), code
}

// must runs one command line that has to succeed.
func (c *cloud) must(t *testing.T, user string, args ...string) string {
	t.Helper()
	out, errOut, code := c.run(t, user, args...)
	require.Zero(t, code, "moset %s: %s%s", strings.Join(args, " "), out, errOut)
	return strings.TrimSpace(out)
}

// fails runs one command line that has to fail with that exit code, and returns its sentence.
func (c *cloud) fails(t *testing.T, code int, user string, args ...string) string {
	t.Helper()
	out, errOut, got := c.run(t, user, args...)
	require.Equal(t, code, got, "moset %s: %s%s", strings.Join(args, " "), out, errOut)
	_, sentence, found := strings.Cut(errOut, "moset: ") // progress may come before it
	require.True(t, found, errOut)
	sentence = strings.TrimSpace(sentence)
	require.NotContains(t, sentence, "\n", "an error is one sentence")
	return sentence
}

// serverNames lists what the project has.
func (c *cloud) serverNames(t *testing.T, user string) []string {
	return strings.Fields(c.must(t, user, "server", "list", "--format", "{{range .}}{{.name}} {{end}}"))
}

// address of a server.
func (c *cloud) address(t *testing.T, user, server string) string {
	prefix := c.must(t, user, "server", "show", server, "--format", "{{range .addresses}}{{.prefix}}{{end}}")
	address, _, _ := strings.Cut(prefix, "/")
	return address
}

// createWeb makes a set of infra, log sidecar and app and returns its address.
func (c *cloud) createWeb(t *testing.T, name string, more ...string) string {
	t.Helper()
	c.must(t, "demo", append([]string{"server", "create", name, "--app", "web=demo/web:v1", "--sidecar", "log=demo/logagent:v1",
		"--volume", "logs:/var/log/app", "--memory", "64Mi"}, more...)...)
	c.created = append(c.created, c.show(t, name).ID)
	return c.address(t, "demo", name)
}

// pushImages builds the example images and pushes them to project demo with the docker command line.
func (c *cloud) pushImages() error {
	env := c.Environment("demo")
	registry := env["MOSET_REGISTRY"]
	config, err := os.MkdirTemp("", "moset-docker-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(config)
	steps := [][]string{
		{filepath.Join("..", "..", "scripts", "images"), registry + "/demo"},
		{"docker", "login", registry, "-u", "demo/demo", "-p", env["OS_PASSWORD"]},
	}
	for _, name := range []string{"/demo/web:v1", "/demo/logagent:v1"} {
		steps = append(steps, []string{"docker", "push", "-q", registry + name}, []string{"docker", "rmi", registry + name})
	}
	for _, step := range steps {
		if _, err := c.command(config, step...); err != nil {
			return err
		}
	}
	return nil
}

// command runs a program against the test's Docker Engine.
func (c *cloud) command(dockerConfig string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+c.cfg.DockerHost, "DOCKER_CONFIG="+dockerConfig)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
