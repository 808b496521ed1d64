package outside

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnOutsideModuleBuildsWithEachPackageAlone(t *testing.T) {
	env := environment(t, proxy(t))
	sum, err := os.ReadFile(filepath.Join(checkout(t), "go.sum"))
	require.NoError(t, err)
	for _, name := range []string{"set", "image", "hostnet", "sched", "authn"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, "go.mod", "module outside.test/"+name+"\n\ngo 1.26.0\n\nrequire "+module+" "+version+"\n")
			put(t, dir, "go.sum", string(sum))
			put(t, dir, "main.go", "package main\n\nimport _ \""+module+"/pkg/"+name+"\"\n\nfunc main() {}\n")
			run(t, dir, env, "build", "-trimpath", "-o", filepath.Join(dir, "program"), ".")
			assert.FileExists(t, filepath.Join(dir, "program"))
			from := run(t, dir, env, "list", "-f", "{{.Module.Path}} {{.Module.Version}} {{.Module.Replace}}", module+"/pkg/"+name)
			assert.Equal(t, module+" "+version+" <nil>", strings.TrimSpace(from))
		})
	}
}

func TestTheCoresBringNothingAlong(t *testing.T) {
	for _, name := range []string{"set", "sched", "authn"} {
		out := run(t, checkout(t), os.Environ(), "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./pkg/"+name)
		require.Contains(t, strings.Fields(out), module+"/pkg/"+name)
		for _, dep := range strings.Fields(out) {
			assert.True(t, strings.HasPrefix(dep, module+"/"), "pkg/%s needs %s", name, dep)
		}
	}
}

// environment has a module cache of its own, so that no earlier packing of the same version is found in
// it. What the machine has downloaded already serves as the second proxy.
func environment(t *testing.T, proxyDir string) []string {
	t.Helper()
	downloads := filepath.Join(goEnv(t, "GOMODCACHE"), "cache", "download")
	return append(os.Environ(),
		"GOPROXY=file://"+proxyDir+",file://"+downloads+","+goEnv(t, "GOPROXY"),
		"GOMODCACHE="+t.TempDir(),
		"GOFLAGS=-mod=mod -modcacherw",
		"GONOSUMDB="+module,
		"GOTOOLCHAIN=local",
		"GOWORK=off",
	)
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(run(t, ".", os.Environ(), "env", name))
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

// run runs the go command and returns what it wrote to its standard output.
func run(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	var out, problems strings.Builder
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &problems
	require.NoError(t, cmd.Run(), "go %s\n%s", strings.Join(args, " "), problems.String())
	return out.String()
}
