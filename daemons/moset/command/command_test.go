package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// execute runs a command line without any credentials.
func execute(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	t.Setenv("OS_AUTH_URL", "")
	t.Setenv("OS_CLOUD", "")
	var o, e bytes.Buffer
	code = Execute(args, &o, &e)
	return o.String(), e.String(), code
}

func TestWrongUsageIsOneSentenceAndExitCode2(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"unknown command":  {[]string{"frobnicate"}, `unknown command "frobnicate"`},
		"unknown flag":     {[]string{"server", "list", "--colour"}, "unknown flag: --colour; see moset server list --help"},
		"too many names":   {[]string{"server", "show", "a", "b"}, "accepts 1 arg(s), received 2"},
		"no credentials":   {[]string{"server", "list"}, "no OpenStack credentials: set OS_CLOUD"},
		"bad label":        {[]string{"server", "list", "-l", "tier"}, `--label "tier" is not NAME=VALUE`},
		"bad volume":       {[]string{"server", "create", "x", "--volume", "data"}, `--volume "data" is not NAME:/PATH`},
		"bad quantity":     {[]string{"server", "create", "x", "--cpu", "many"}, `--cpu: invalid request: "many" is not a quantity`},
		"bad network":      {[]string{"network", "create", "back", "10.0.0.0"}, "no '/'"},
		"file not there":   {[]string{"server", "create", "-f", "/nonexistent"}, "no such file"},
		"name not given":   {[]string{"server", "create", "--app", "web:v1"}, "a name is needed"},
		"unknown cloud":    {[]string{"--os-cloud", "nowhere", "server", "list"}, `cloud "nowhere"`},
		"nothing to scale": {[]string{"service", "scale", "web"}, "--replicas is needed"},
		"whole of one":     {[]string{"server", "create", "x", "--all-or-nothing"}, "--all-or-nothing needs --count"},
		"fit of nothing":   {[]string{"server", "fit", "--count", "-1", "--app", "web:v1"}, "--count -1: give one from 1 to 10000"},
		"subcommand alone": {[]string{"server", "frob"}, `unknown command "frob"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir()) // no clouds.yaml here
			_, errOut, code := execute(t, c.args...)
			assert.Equal(t, 2, code)
			assert.True(t, strings.HasPrefix(errOut, "moset: "), errOut)
			assert.Contains(t, errOut, c.says)
			assert.NotContains(t, strings.TrimSpace(errOut), "\n")
		})
	}
}

func TestExitCodesFollowTheKindOfError(t *testing.T) {
	for err, want := range map[error]int{
		nil:                                  0,
		errors.New("whatever"):               1,
		fmt.Errorf("x: %w", set.ErrInvalid):  2,
		fmt.Errorf("x: %w", set.ErrNotFound): 3,
		fmt.Errorf("x: %w", set.ErrUnauthenticated): 4,
		fmt.Errorf("x: %w", set.ErrForbidden):       4,
		fmt.Errorf("x: %w", set.ErrConflict):        5,
		fmt.Errorf("x: %w", set.ErrNoCapacity):      5,
		fmt.Errorf("x: %w", set.ErrUnavailable):     6,
		fmt.Errorf("x: %w", context.Canceled):       130,
	} {
		assert.Equal(t, want, exitCode(err), "%v", err)
	}
}

func TestFlagsAndFileMakeOneRequest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
name: web
labels: {tier: front}
spec:
  containers:
  - {name: web, image: demo/web:v1}
  resources: {memory: 64Mi, cpu: "1.5"}
`), 0o600))
	f := createFlags{file: file, sidecars: []string{"log=demo/logagent:v1"}, volumes: []string{"logs:/var/log/app"}, egress: "20Mbit", network: "back", labels: []string{"a=b"}}
	var req set.CreateRequest
	require.NoError(t, f.read(nil, nil, &req, &req.Name, &req.Labels, &req.Spec))
	assert.Equal(t, "web", req.Name)
	assert.Equal(t, map[string]string{"tier": "front", "a": "b"}, req.Labels)
	assert.Equal(t, set.Resources{CPU: 1500, Memory: 64 << 20}, req.Spec.Resources)
	assert.Equal(t, []set.NetworkRequest{{Network: "back", Egress: 20_000_000}}, req.Spec.Networks)
	require.Len(t, req.Spec.Containers, 2)
	assert.Equal(t, set.Container{Name: "log", Role: set.RoleSidecar, Image: "demo/logagent:v1", Mounts: []set.Mount{{Volume: "logs", Path: "/var/log/app"}}}, req.Spec.Containers[1])
}

func TestAFileWithAnUnknownFieldIsRefused(t *testing.T) {
	f := createFlags{file: "-"}
	var req set.CreateRequest
	err := f.read(nil, strings.NewReader("name: web\nspec: {privileged: true}\n"), &req, &req.Name, &req.Labels, &req.Spec)
	assert.ErrorIs(t, err, errUsage)
	assert.ErrorContains(t, err, "privileged")
}

func TestAContainersNameComesFromItsImage(t *testing.T) {
	for given, want := range map[string]string{
		"demo/web:v1": "web", "web": "web", "demo/web@sha256:0123": "web", "front=demo/web:v1": "front", "a/b/c:1": "c",
	} {
		assert.Equal(t, want, container(given, set.RoleApp, nil, nil).Name, given)
	}
}

func TestProgressOffTheTerminalIsOneLineForEachFinishedStep(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	begun := time.Now()
	pull := set.Step{Name: "pull web", State: set.StepRunning, Done: 1, Total: 2 << 20, StartedAt: begun}
	p.show(set.Task{Steps: []set.Step{pull}})
	assert.Empty(t, out.String())
	pull.State, pull.EndedAt = set.StepDone, begun.Add(250*time.Millisecond)
	failed := set.Step{Name: "start", State: set.StepFailed, Message: "no such program", StartedAt: begun, EndedAt: begun}
	p.show(set.Task{Steps: []set.Step{pull}})
	p.show(set.Task{Steps: []set.Step{pull, failed}})
	p.close()
	assert.Equal(t, "  pull web                 done      0.25 s  2.0 MiB\n  start                    failed    0.00 s  no such program\n", out.String())
}

func TestATemplateSeesTheJSONNames(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, format: "{{.id}} {{.generation}}"}
	require.NoError(t, a.emit(set.Server{ID: "x", Generation: 3}))
	assert.Equal(t, "x 3\n", out.String())
	a.format = "{{.nothing}}"
	assert.ErrorIs(t, a.emit(set.Server{}), errUsage)
	a.format = "{{"
	assert.ErrorIs(t, a.emit(set.Server{}), errUsage)
}

func TestCompletionScriptsAreThere(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		out, _, code := execute(t, "completion", shell)
		assert.Zero(t, code)
		assert.Contains(t, out, "moset", shell)
	}
}

func TestQuantitiesReadAsPeopleWriteThem(t *testing.T) {
	assert.Equal(t, "512 B", size(512))
	assert.Equal(t, "1.5 KiB", size(1536))
	assert.Equal(t, "2.0 GiB", size(2<<30))
	assert.Equal(t, "none", rate(0))
	assert.Equal(t, "20 Mbit/s", rate(20_000_000))
	assert.Equal(t, "1500 bit/s", rate(1500))
	assert.Equal(t, "1500 kbit/s", rate(1_500_000))
	assert.Equal(t, "-", ago(time.Time{}))
	assert.Equal(t, "2h ago", ago(time.Now().Add(-2*time.Hour)))
}

func TestAFailedTaskIsItsSentenceAndItsKind(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, errOut: &out}
	err := a.taskResult(set.Task{Verb: set.VerbCreate, ServerName: "web", State: set.TaskFailed, Fault: &set.Fault{Code: "unavailable", Message: "Docker does not answer"}})
	assert.EqualError(t, err, "create web failed: Docker does not answer")
	assert.Equal(t, 6, exitCode(err))
}
