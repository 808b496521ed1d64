package e2e

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/allinone/stack"
)

// refused checks that a command fails with that exit code and sentence and leaves nothing.
func refused(t *testing.T, code int, sentence, user string, args ...string) {
	t.Helper()
	before := shared.footprint(t)
	names := shared.serverNames(t, "demo")
	assert.Contains(t, shared.fails(t, code, user, args...), sentence)
	shared.leavesNothing(t, before)
	assert.Equal(t, names, shared.serverNames(t, "demo"))
}

func TestRefusedCreates(t *testing.T) {
	shared.must(t, "demo", "network", "show", "default") // made on first use, which is not what is looked for
	for name, c := range map[string]struct {
		code     int
		sentence string
		args     []string
	}{
		"unknown image":         {3, "image demo/nothing:v1: ", []string{"x1", "--app", "demo/nothing:v1"}},
		"another's image":       {3, "image alt/web:v1: ", []string{"x2", "--app", "alt/web:v1"}},
		"no host fits":          {5, "0 of 1 host fits: 1 lacks cpu", []string{"x3", "--app", "demo/web:v1", "--cpu", "1000"}},
		"no image":              {2, "containers[0].image", []string{"x4", "--app", "web="}},
		"no container":          {2, "containers: at least one is needed", []string{"x5"}},
		"bad name":              {2, "name: \"X_6\"", []string{"X_6", "--app", "demo/web:v1"}},
		"unknown network":       {3, "there is no network \"back\"", []string{"x7", "--app", "demo/web:v1", "--network", "back"}},
		"bad quantity":          {2, "--memory", []string{"x8", "--app", "demo/web:v1", "--memory", "lots"}},
		"too little memory":     {2, "resources.memory", []string{"x9", "--app", "demo/web:v1", "--memory", "1Mi"}},
		"mount without a place": {2, "mounts[0].path", []string{"x10", "--app", "demo/web:v1", "--volume", "data:var"}},
		"no name":               {2, "a name is needed", []string{"--app", "demo/web:v1"}},
		"unknown flag":          {2, "unknown flag: --colour", []string{"x11", "--colour", "red"}},
		"file that is not":      {2, "no such file", []string{"-f", "/nonexistent.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.code, c.sentence, "demo", append([]string{"server", "create"}, c.args...)...)
		})
	}
}

func TestAProgramThatIsNotThereFailsTheCreateAndLeavesOnlyTheRecord(t *testing.T) {
	before := shared.footprint(t)
	file := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(file, []byte("name: bad\nspec:\n  containers:\n  - {name: web, image: demo/web:v1, command: [/no/such/program]}\n"), 0o600))
	sentence := shared.fails(t, 2, "demo", "server", "create", "-f", file)
	assert.Contains(t, sentence, "/no/such/program")
	shared.leavesNothing(t, before)
	assert.Equal(t, "failed", shared.must(t, "demo", "server", "show", "bad", "--format", "{{.observed.state}}"))
	shared.must(t, "demo", "server", "delete", "bad")
	assert.NotContains(t, shared.serverNames(t, "demo"), "bad")
}

func TestATakenNameIsAConflict(t *testing.T) {
	shared.createWeb(t, "taken")
	t.Cleanup(func() { shared.must(t, "demo", "server", "delete", "taken") })
	refused(t, 5, "already has a server called taken", "demo", "server", "create", "taken", "--app", "demo/web:v1")
}

func TestOtherProjectsSeeNothing(t *testing.T) {
	shared.createWeb(t, "private")
	t.Cleanup(func() { shared.must(t, "demo", "server", "delete", "private") })
	id := shared.show(t, "private").ID
	assert.NotContains(t, shared.serverNames(t, "alt"), "private")
	for _, verb := range []string{"show", "stop", "start", "sync", "delete"} {
		for _, ref := range []string{"private", id} {
			assert.Contains(t, shared.fails(t, 3, "alt", "server", verb, ref), "not found", verb)
		}
	}
	assert.Contains(t, shared.fails(t, 4, "viewer", "server", "stop", "private"), "reading only")
	assert.Contains(t, shared.fails(t, 4, "demo", "host", "list"), "admin")
}

func TestBadCredentials(t *testing.T) {
	t.Run("wrong password", func(t *testing.T) {
		shared.must(t, "demo", "server", "list")
		t.Setenv("OS_CLOUD", "")
		env := shared.Environment("demo")
		for k, v := range env {
			t.Setenv(k, v)
		}
		t.Setenv("OS_PASSWORD", "wrong")
		out, code := client(t, "server", "list")
		assert.Equal(t, 4, code)
		assert.Contains(t, out, "user, password or project is wrong")
	})
	t.Run("none", func(t *testing.T) {
		t.Setenv("OS_AUTH_URL", "")
		t.Setenv("OS_CLOUD", "")
		out, code := client(t, "server", "list")
		assert.Equal(t, 2, code)
		assert.Contains(t, out, "set OS_CLOUD")
	})
	t.Run("bad token", func(t *testing.T) {
		for token, want := range map[string]int{"": 401, "garbage": 401, strings.Repeat("x", 9000): 401} {
			assert.Equal(t, want, shared.call(t, "GET", "/v1/servers", token, nil))
		}
	})
}

func TestBodiesThatAreNoRequest(t *testing.T) {
	token := shared.token(t, "demo")
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"malformed":     {"{", 400},
		"empty":         {"", 400},
		"unknown field": {`{"name":"x","privileged":true}`, 400},
		"over-large":    {`{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
		"wrong type":    {`{"name":7}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, shared.call(t, "POST", "/v1/servers", token, strings.NewReader(c.body)))
		})
	}
}

func TestDockerDownIsSaidBeforeAnythingIsMade(t *testing.T) {
	c := newCloud(t, "br-e2e-nodocker", func(cfg *stack.Config) { cfg.DockerHost = "unix:///nonexistent/docker.sock" })
	seedImages(t, c)
	sentence := c.fails(t, 5, "demo", "server", "create", "web", "--app", "demo/web:v1")
	assert.Contains(t, sentence, "Docker does not answer at unix:///nonexistent/docker.sock")
	assert.Empty(t, c.serverNames(t, "demo"))
}

func TestOpenVSwitchDownIsSaidBeforeAnythingIsMade(t *testing.T) {
	c := newCloud(t, "br-e2e-noovs", func(cfg *stack.Config) { cfg.OVSRunDir = t.TempDir() })
	require.NoError(t, c.pushImages())
	sentence := c.fails(t, 5, "demo", "server", "create", "web", "--app", "demo/web:v1")
	assert.Contains(t, sentence, "Open vSwitch")
	assert.Empty(t, c.serverNames(t, "demo"))
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	cfg := config(t.TempDir(), "br-e2e-port")
	cfg.Ports = stack.Ports{Region: shared.Port()}
	_, err := stack.Start(context.Background(), cfg)
	assert.ErrorContains(t, err, "the port is taken")
	_, err = os.Stat(filepath.Join(cfg.StateDir, "secrets.json"))
	assert.ErrorIs(t, err, os.ErrNotExist, "nothing was begun")
}

func TestWithoutRootTheDaemonsSaySo(t *testing.T) {
	dir, err := os.MkdirTemp("", "moset-e2e-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755)) // others run what is built here
	for _, name := range []string{"allinone", "host"} {
		bin := filepath.Join(dir, name)
		build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../daemons/"+name)
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%s", out)
		cmd := exec.CommandContext(t.Context(), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", bin)
		out, err = cmd.CombinedOutput()
		assert.Error(t, err)
		assert.Contains(t, string(out), "run it as root")
	}
}

// call sends one request to the region and returns the status.
func (c *cloud) call(t *testing.T, method, path, token string, body io.Reader) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.RegionURL()+path, body)
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("X-Auth-Token", token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"message"`, "an error body says what is wrong")
	return resp.StatusCode
}
