package e2e

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image/imagetest"
)

// processes is a cloud of separate daemons, each its own program, on a Keystone and a Glance box.
type processes struct {
	bin string
	env []string // of user demo
}

func TestTheDaemonsWorkAsSeparateProcesses(t *testing.T) {
	p := startProcesses(t)
	registry := p.value("MOSET_REGISTRY")
	config := t.TempDir()
	c := &cloud{cfg: shared.cfg}
	for _, step := range [][]string{
		{"../../scripts/images", registry + "/demo"},
		{"docker", "login", registry, "-u", "demo/demo", "-p", "secret-demo"},
		{"docker", "push", "-q", registry + "/demo/web:v1"},
		{"docker", "rmi", registry + "/demo/web:v1", registry + "/demo/logagent:v1"},
	} {
		_, err := c.command(config, step...)
		require.NoError(t, err)
	}
	p.moset(t, 0, "server", "create", "apart", "--app", "demo/web:v1", "--memory", "64Mi")
	assert.Contains(t, p.moset(t, 0, "server", "list"), "running")
	p.moset(t, 0, "server", "delete", "apart")
	assert.Contains(t, p.moset(t, 3, "server", "show", "apart"), "not found")

	t.Run("an interrupted create is taken back", func(t *testing.T) {
		cmd := p.command("server", "create", "never", "--app", "demo/web:v1", "--memory", "64Mi")
		var out strings.Builder
		cmd.Stderr = &out
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { return p.quiet("server", "show", "never") == 0 }, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		err := cmd.Wait()
		if cmd.ProcessState.ExitCode() == 0 { // it was ready before the interrupt came
			p.moset(t, 0, "server", "delete", "never")
			return
		}
		assert.Error(t, err)
		assert.Equal(t, 130, cmd.ProcessState.ExitCode(), out.String())
		assert.Contains(t, out.String(), "interrupted: deleting never")
		p.moset(t, 3, "server", "show", "never")
	})
}

// startProcesses builds the daemons and runs each until the test ends.
func startProcesses(t *testing.T) *processes {
	t.Helper()
	bin, err := os.MkdirTemp("", "moset-e2e-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(bin) })
	for _, name := range []string{"moset", "region", "host", "registry"} {
		out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, name), "../../daemons/"+name).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	key := filepath.Join(bin, "key")
	require.NoError(t, os.WriteFile(key, []byte("a key of region and hosts\n"), 0o600))
	region, host, registry := freeAddress(t), freeAddress(t), freeAddress(t)
	authURL := startBoxes(t, "http://"+region, "http://"+registry)

	service := environment(authURL, "moset", "service")
	daemon(t, service, region, filepath.Join(bin, "region"), "-listen", region, "-state", filepath.Join(bin, "region-state"), "-key-file", key)
	daemon(t, service, registry, filepath.Join(bin, "registry"), "-listen", registry)
	daemon(t, service, host, filepath.Join(bin, "host"), "-listen", host, "-state", filepath.Join(bin, "host-state"), "-key-file", key,
		"-name", "apart", "-region", "http://"+region, "-registry", registry, "-bridge", "br-e2e-apart", "-datapath", "netdev",
		"-docker-host", shared.cfg.DockerHost, "-ovs-rundir", shared.cfg.OVSRunDir)
	p := &processes{bin: bin, env: append(environment(authURL, "demo", "demo"), "MOSET_REGISTRY="+registry)}
	require.Eventually(t, func() bool { return p.hostReady(authURL) }, 20*time.Second, 100*time.Millisecond, "the host did not become ready")
	return p
}

func (p *processes) hostReady(authURL string) bool {
	cmd := exec.Command(filepath.Join(p.bin, "moset"), "host", "list")
	cmd.Env = append(os.Environ(), environment(authURL, "admin", "demo")...)
	out, err := cmd.CombinedOutput()
	return err == nil && strings.Contains(string(out), "ready") && !strings.Contains(string(out), "not ready")
}

// startBoxes serves a Keystone and a Glance box whose catalog names the daemons to be.
func startBoxes(t *testing.T, region, registry string) (authURL string) {
	t.Helper()
	role := func(project string, roles ...string) map[string][]string { return map[string][]string{project: roles} }
	box, err := authntest.New(authntest.Config{Users: []authntest.User{
		{Name: "demo", Password: "secret-demo", Projects: role("demo", "member")},
		{Name: "admin", Password: "secret-admin", Projects: role("demo", "admin")},
		{Name: "moset", Password: "secret-moset", Projects: role("service", "service", "admin")},
	}})
	require.NoError(t, err)
	authURL, stop := box.Start()
	t.Cleanup(stop)
	session, err := keystone.Connect(t.Context(), keystone.Credentials{AuthURL: authURL, UserName: "moset", Password: "secret-moset", ProjectName: "service"})
	require.NoError(t, err)
	glance, err := imagetest.NewGlance(imagetest.GlanceConfig{Tokens: tokens{session}, Hash: "sha256"})
	require.NoError(t, err)
	server := httptest.NewServer(glance)
	t.Cleanup(server.Close)
	box.SetEndpoint("image", server.URL)
	box.SetEndpoint("container-set", region)
	box.SetEndpoint("container-registry", registry)
	return authURL
}

// tokens lets the Glance box ask Keystone.
type tokens struct{ session *keystone.Session }

func (c tokens) Check(ctx context.Context, token string) (imagetest.Caller, error) {
	id, err := keystone.NewVerifier(c.session, 0).Verify(ctx, token)
	if err != nil {
		return imagetest.Caller{}, err
	}
	return imagetest.Caller{ProjectID: id.ProjectID, Roles: id.Roles}, nil
}

func environment(authURL, user, project string) []string {
	return []string{"OS_CLOUD=", "OS_AUTH_URL=" + authURL, "OS_USERNAME=" + user, "OS_PASSWORD=secret-" + user, "OS_USER_DOMAIN_NAME=Default",
		"OS_PROJECT_NAME=" + project, "OS_PROJECT_DOMAIN_NAME=Default"}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// daemon runs a program until the test ends, and waits until it serves.
func daemon(t *testing.T, env []string, address string, args ...string) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, cmd.Wait(), "%s: %s", args[0], &log)
	})
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + address + "/healthz")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	}, 20*time.Second, 50*time.Millisecond, "%s does not serve: %s", args[0], &log)
}

func (p *processes) value(name string) string {
	for _, e := range p.env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

func (p *processes) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, "moset"), args...)
	cmd.Env = append(os.Environ(), p.env...)
	return cmd
}

// moset runs the command line and checks its exit code.
func (p *processes) moset(t *testing.T, code int, args ...string) string {
	t.Helper()
	cmd := p.command(args...)
	out, _ := cmd.CombinedOutput()
	require.Equal(t, code, cmd.ProcessState.ExitCode(), "moset %s: %s", strings.Join(args, " "), out)
	return string(out)
}

// quiet runs the command line for its exit code alone.
func (p *processes) quiet(args ...string) int {
	cmd := p.command(args...)
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode()
}
