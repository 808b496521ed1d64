package process

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Result is how a command line ended.
type Result struct {
	Out, Err string // standard output and error
	Code     int
}

// Env is what a user's programs need in their environment: "demo", "alt", "viewer" and "admin" of project
// demo, and "moset", whom the daemons are.
func (c *Cloud) Env(user string) []string {
	env := []string{"OS_CLOUD=", "OS_AUTH_URL=" + c.AuthURL, "OS_USERNAME=" + user, "OS_PASSWORD=secret-" + user, "OS_USER_DOMAIN_NAME=Default",
		"OS_PROJECT_NAME=" + project(user), "OS_PROJECT_DOMAIN_NAME=Default"}
	return append(env, c.cfg.Env...)
}

// Command is a command line of a user, to be started by the caller.
func (c *Cloud) Command(user string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(string(c.cfg.Programs), "moset"), args...)
	cmd.Env = append(os.Environ(), c.Env(user)...)
	return cmd
}

// Run runs a command line to its end, whatever that is.
func (c *Cloud) Run(t testing.TB, user string, args ...string) Result {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := c.Command(user, args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	require.NotNil(t, cmd.ProcessState, "%v", err)
	return Result{Out: out.String(), Err: errOut.String(), Code: cmd.ProcessState.ExitCode()}
}

// Must runs a command line that has to succeed and returns what it printed.
func (c *Cloud) Must(t testing.TB, user string, args ...string) string {
	t.Helper()
	r := c.Run(t, user, args...)
	require.Zero(t, r.Code, "moset %s: %s%s", strings.Join(args, " "), r.Out, r.Err)
	return strings.TrimSpace(r.Out)
}

// Fails runs a command line that has to fail with that exit code, and returns its one sentence.
func (c *Cloud) Fails(t testing.TB, code int, user string, args ...string) string {
	t.Helper()
	r := c.Run(t, user, args...)
	require.Equal(t, code, r.Code, "moset %s: %s%s", strings.Join(args, " "), r.Out, r.Err)
	_, sentence, found := strings.Cut(r.Err, "moset: ") // progress may come before it
	require.True(t, found, r.Err)
	sentence = strings.TrimSpace(sentence)
	require.NotContains(t, sentence, "\n", "an error is one sentence")
	return sentence
}

// AwaitHosts waits until that many hosts are ready.
func (c *Cloud) AwaitHosts(t testing.TB, n int) {
	t.Helper()
	Await(t, "the hosts to be ready", func() bool {
		r := c.Run(t, "admin", "host", "list", "--json")
		return r.Code == 0 && ready(r.Out) == n
	})
}

// Await polls until a condition holds, for up to Patience. Unlike require.Eventually it stays on the test's
// goroutine, so conditions may use require themselves.
func Await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !holds(); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "waited %s for %s", Patience, what)
	}
}

func ready(list string) (n int) {
	var hosts []struct{ Ready bool }
	if json.Unmarshal([]byte(list), &hosts) != nil {
		return -1
	}
	for _, h := range hosts {
		if h.Ready {
			n++
		}
	}
	return n
}

// Docker runs the docker command line on the engine of the first host.
func (c *Cloud) Docker(t testing.TB, args ...string) string {
	t.Helper()
	return c.Program(t, append([]string{"docker"}, args...)...)
}

// Program runs a program with the engine of the first host and a login of its own, and returns what it printed.
func (c *Cloud) Program(t testing.TB, args ...string) string {
	t.Helper()
	return c.programOn(t, c.cfg.Hosts[0].DockerHost, args...)
}

func (c *Cloud) programOn(t testing.TB, engine string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+engine, "DOCKER_CONFIG="+filepath.Join(c.Dir, "docker"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

// PushImages builds the example images and pushes them: demo/web:v1 and demo/logagent:v1.
func (c *Cloud) PushImages(t testing.TB) {
	t.Helper()
	t.Cleanup(func() { c.ForgetImages(t) })
	c.PushImagesFrom(t, c.cfg.Hosts[0].DockerHost, c.cfg.Registry.Listen, "demo")
}

// PushImagesFrom is PushImages from another engine and through another registry of the same Glance, for the
// project of a user of that name.
func (c *Cloud) PushImagesFrom(t testing.TB, engine, registry, project string) {
	t.Helper()
	prefix := registry + "/" + project
	docker := func(args ...string) { c.programOn(t, engine, append([]string{"docker"}, args...)...) }
	c.programOn(t, engine, filepath.Join("..", "..", "scripts", "images"), prefix)
	docker("login", registry, "-u", project+"/"+project, "-p", "secret-"+project)
	for _, image := range []string{prefix + "/web:v1", prefix + "/logagent:v1"} {
		docker("push", "-q", image)
	}
	docker("rmi", prefix+"/web:v1", prefix+"/logagent:v1")
}

// ForgetImages removes what the engine of the first host pulled from this cloud's registry, so that the next
// creates pull again.
func (c *Cloud) ForgetImages(t testing.TB) {
	t.Helper()
	ids := strings.Fields(c.Docker(t, "image", "ls", "-q", "--filter", "reference="+c.cfg.Registry.Listen+"/*/*"))
	if len(ids) > 0 {
		c.Docker(t, append([]string{"rmi", "--force"}, ids...)...)
	}
}
