package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestImageVerbsOfTheCommandLine(t *testing.T) {
	shared.must(t, "demo", "image", "pull", "web:v1")
	t.Cleanup(func() { shared.docker(t, "rmi", "demo/web:v1") })
	out, progress, code := shared.run(t, "demo", "image", "push", "demo/web:v1", "--as", "verbs:1")
	require.Zero(t, code, progress)
	assert.Regexp(t, `^demo/verbs@sha256:[0-9a-f]{64}\n$`, out)
	assert.Regexp(t, `  layer [0-9a-f]{12} +done .* there already\n`, progress, "one line for each layer")
	assert.Contains(t, progress, "  push demo/web:v1 ")
	assert.JSONEq(t, shared.must(t, "demo", "image", "show", "web:v1", "--format", `{"id":"{{.id}}"}`),
		shared.must(t, "demo", "image", "push", "demo/web:v1", "--as", "verbs:2", "--format", `{"id":"{{.id}}"}`))

	history := shared.must(t, "demo", "image", "history", "verbs:1", "--format", "{{range .}}{{.docker_id}} {{.created_by}}\n{{end}}")
	built := shared.docker(t, "history", "--no-trunc", "--format", "{{.CreatedBy}}", "demo/web:v1")
	for i, step := range strings.Split(built, "\n") {
		assert.True(t, strings.HasSuffix(strings.Split(history, "\n")[i], step), "step %d of %s", i, history)
	}
	assert.Contains(t, shared.must(t, "demo", "image", "history", "verbs:1"), "CREATED BY")

	digest := strings.TrimSpace(out)
	assert.Equal(t, "demo/verbs:1 true\ndemo/verbs:2 true\n"+digest+" true", shared.must(t, "demo", "image", "exists", "verbs:1", "verbs:2", digest))
	assert.Contains(t, shared.must(t, "demo", "__complete", "image", "rm", "verbs:1", "demo/verbs:"), "demo/verbs:2\n")
	assert.Contains(t, shared.must(t, "demo", "__complete", "image", "list", "demo/v"), "demo/verbs\n")

	assert.Equal(t, "find tag demo/verbs:none: not found", shared.fails(t, 3, "demo", "image", "rm", "verbs:none"))
	assert.Contains(t, shared.fails(t, 3, "demo", "image", "rm", "verbs:1", "verbs:none", "verbs:2"), "1 of 3 images: ")
	assert.Equal(t, "not there: demo/verbs:1, demo/verbs:2", shared.fails(t, 1, "demo", "image", "exists", "verbs:1", "verbs:2", "web:v1"))
	shared.fails(t, 2, "demo", "image", "exists", "no:such:name")
	shared.fails(t, 3, "demo", "image", "history", "verbs:1")
	shared.must(t, "demo", "image", "rm", digest)
}

func TestAnImageIsPrefetchedToHosts(t *testing.T) {
	shared.must(t, "demo", "image", "pull", "web:v1")
	t.Cleanup(func() { shared.docker(t, "rmi", "demo/web:v1") })
	shared.docker(t, "build", "-q", "-t", "demo/ahead:v1", "--build-arg", "x=1", ahead(t))
	shared.must(t, "demo", "image", "push", "demo/ahead:v1")
	shared.docker(t, "rmi", "demo/ahead:v1")
	lacks := func(args ...string) string {
		return shared.must(t, "admin", append([]string{"image", "prefetch", "demo/ahead:v1", "--format", "{{range .hosts}}{{.bytes}} {{end}}"}, args...)...)
	}
	before := lacks("--dry-run")
	assert.NotEqual(t, "0", strings.TrimSpace(before), "the host lacks a layer of it")
	assert.Equal(t, before, lacks())
	assert.Equal(t, "0", strings.TrimSpace(lacks()), "the second time costs nothing")
	assert.Contains(t, shared.must(t, "admin", "image", "prefetch", "demo/ahead:v1"), "ready")
	shared.fails(t, 4, "demo", "image", "prefetch", "demo/ahead:v1")
	shared.fails(t, 3, "admin", "image", "prefetch", "demo/none:v1")
	shared.fails(t, 3, "admin", "image", "prefetch", "demo/ahead:v1", "--host", "nowhere")
}

// ahead is the directory of an image that no test before has made.
func ahead(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "what"), []byte(dir+time.Now().String()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY what /\n"), 0o600))
	return dir
}

// TestAnInterruptedPushLeavesTheEngineAsItWas interrupts while the registry keeps the engine waiting.
func TestAnInterruptedPushLeavesTheEngineAsItWas(t *testing.T) {
	arrived, end := make(chan struct{}), make(chan struct{})
	var once sync.Once
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		once.Do(func() { close(arrived) })
		select {
		case <-r.Context().Done():
		case <-end:
		}
	}))
	t.Cleanup(registry.Close)
	t.Cleanup(func() { close(end) })
	shared.must(t, "demo", "image", "pull", "web:v1")
	t.Cleanup(func() { shared.docker(t, "rmi", "demo/web:v1") })
	before := strings.Fields(shared.docker(t, "images", "--format", "{{.Repository}}:{{.Tag}}"))

	bin := filepath.Join(t.TempDir(), "moset")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../daemons/moset").CombinedOutput()
	require.NoError(t, err, "%s", built)
	cmd := exec.CommandContext(t.Context(), bin, "image", "push", "demo/web:v1", "--as", "never:1", "--registry", registry.Listener.Addr().String())
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+shared.cfg.DockerHost)
	for k, v := range shared.Environment("demo") {
		if k != "MOSET_REGISTRY" {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
	}
	var problem strings.Builder
	cmd.Stderr = &problem
	require.NoError(t, cmd.Start())
	select {
	case <-arrived:
	case <-time.After(time.Minute):
		assert.Fail(t, "the engine never came to the registry")
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	var ended *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &ended)
	assert.Equal(t, 130, ended.ExitCode(), problem.String())
	assert.True(t, strings.HasSuffix(problem.String(), "moset: interrupted\n"), problem.String())
	assert.ElementsMatch(t, before, strings.Fields(shared.docker(t, "images", "--format", "{{.Repository}}:{{.Tag}}")), "the name lent to the engine is taken back")
}
