package e2e

import (
	"bytes"
	"context"
	"log/slog"
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

// environment is what the tests of this package need; make test provides it.
func environment(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	require.NotEmpty(t, v, "%s is not set: run these tests with make test", name)
	return v
}

// cloud is a whole cloud for one test: region, host and registry with their own state, on the private
// Docker Engine and Open vSwitch of the test run.
type cloud struct {
	t   *testing.T
	cfg stack.Config
	*stack.Stack
	cancel context.CancelFunc
}

// newCloud starts a cloud on a bridge of its own; tests name bridges apart.
func newCloud(t *testing.T, bridge string, change func(*stack.Config)) *cloud {
	dir, err := os.MkdirTemp("", "moset-e2e-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &cloud{t: t, cfg: stack.Config{
		StateDir:   dir,
		DockerHost: environment(t, "MOSET_TEST_DOCKER"),
		OVSRunDir:  environment(t, "MOSET_TEST_OVS_RUNDIR"),
		Bridge:     bridge,
		HostName:   bridge,
		Ports:      stack.AnyPorts,
		Logger:     slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}}
	if change != nil {
		change(&c.cfg)
	}
	c.start()
	t.Cleanup(c.stop)
	return c
}

func (c *cloud) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := stack.Start(ctx, c.cfg)
	if err != nil {
		cancel()
	}
	require.NoError(c.t, err)
	c.Stack, c.cancel = s, cancel
}

func (c *cloud) stop() {
	if c.cancel == nil {
		return
	}
	c.cancel()
	c.cancel = nil
	require.NoError(c.t, c.Wait())
}

// moset runs one command line as a project and returns its output and exit code.
func (c *cloud) moset(project string, args ...string) (out, errOut string, code int) {
	c.t.Helper()
	for k, v := range c.Environment(project) {
		c.t.Setenv(k, v)
	}
	var o, e bytes.Buffer
	code = command.Execute(args, &o, &e)
	return o.String(), e.String(), code
}

// must runs one command line that has to succeed.
func (c *cloud) must(project string, args ...string) string {
	c.t.Helper()
	out, errOut, code := c.moset(project, args...)
	require.Zero(c.t, code, "moset %s: %s%s", strings.Join(args, " "), out, errOut)
	return strings.TrimSpace(out)
}

// pushImages builds the example images and pushes them to project demo, through the docker CLI.
func (c *cloud) pushImages() {
	c.t.Helper()
	registry := c.Environment("demo")["MOSET_REGISTRY"]
	config := c.t.TempDir()
	c.docker(config, nil, "login", registry, "-u", "demo/demo", "-p", c.Environment("demo")["OS_PASSWORD"])
	c.command(nil, filepath.Join("..", "..", "scripts", "images"), registry+"/demo")
	for _, name := range []string{"web:v1", "logagent:v1"} {
		ref := registry + "/demo/" + name
		c.docker(config, nil, "push", "-q", ref)
		c.docker(config, nil, "rmi", ref)
	}
}

func (c *cloud) docker(config string, env []string, args ...string) string {
	c.t.Helper()
	return c.command(append(env, "DOCKER_CONFIG="+config), "docker", args...)
}

func (c *cloud) command(env []string, name string, args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), append(env, "DOCKER_HOST="+c.cfg.DockerHost)...)
	out, err := cmd.CombinedOutput()
	require.NoError(c.t, err, "%s %s: %s", name, strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil { // a log line after the test's end would panic
		w.t.Log(strings.TrimRight(string(p), "\n"))
	}
	return len(p), nil
}
