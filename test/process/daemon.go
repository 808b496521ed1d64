package process

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Daemon is one program that can be started again after it ended; its state is where its arguments say.
// The methods are for one goroutine at a time.
type Daemon struct {
	Name  string   // for messages
	URL   string   // where others reach it
	NetNS string   // path of the network namespace it runs in; "" is the test's own
	Args  []string // program and arguments
	Env   []string // beside the test's own

	logFile string
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process is gone
}

// Start runs the program and waits until it says that it is ready.
func (d *Daemon) Start(t testing.TB) {
	t.Helper()
	require.Nil(t, d.cmd, "%s runs already", d.Name)
	log, err := os.OpenFile(d.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer log.Close()
	before := len(d.Log())
	args := d.Args
	if d.NetNS != "" { // not ip netns exec, which mounts another /sys over the cgroups
		args = append([]string{"nsenter", "--net=" + d.NetNS, "--"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), d.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	d.cmd, d.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait() // its code is in cmd.ProcessState
		close(ended)
	}(d.ended)
	d.awaitReady(t, before)
}

func (d *Daemon) awaitReady(t testing.TB, before int) {
	t.Helper()
	ready := func() bool { return strings.Contains(d.Log()[before:], "msg=ready") }
	for deadline := time.Now().Add(Patience); !ready(); time.Sleep(5 * time.Millisecond) {
		select {
		case <-d.ended:
			code := d.cmd.ProcessState
			d.cmd = nil
			require.FailNow(t, fmt.Sprintf("%s ended with %s before it was ready", d.Name, code), d.Log()[before:])
		default:
		}
		require.True(t, time.Now().Before(deadline), "%s is not ready: %s", d.Name, d.Log()[before:])
	}
}

// Running says whether it was started and neither stopped nor killed.
func (d *Daemon) Running() bool { return d.cmd != nil }

// PID of the running program.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Kill ends it with SIGKILL, as a machine that fails would.
func (d *Daemon) Kill(t testing.TB) {
	t.Helper()
	d.end(t, syscall.SIGKILL)
}

// Stop ends it with SIGTERM and checks that it ends well.
func (d *Daemon) Stop(t testing.TB) {
	t.Helper()
	state := d.end(t, syscall.SIGTERM)
	assert.Zero(t, state.ExitCode(), "%s ended with %s: %s", d.Name, state, tail(d.Log()))
}

// Restart stops it and starts it again.
func (d *Daemon) Restart(t testing.TB) {
	t.Helper()
	d.Stop(t)
	d.Start(t)
}

func (d *Daemon) end(t testing.TB, s os.Signal) *os.ProcessState {
	t.Helper()
	require.NotNil(t, d.cmd, "%s does not run", d.Name)
	_ = d.cmd.Process.Signal(s) // it may have ended by itself, which its exit code tells
	select {
	case <-d.ended:
	case <-time.After(Patience):
		require.FailNow(t, d.Name+" does not end", tail(d.Log()))
	}
	state := d.cmd.ProcessState
	d.cmd = nil
	return state
}

// Log is all it wrote so far, over all its lives.
func (d *Daemon) Log() string {
	b, err := os.ReadFile(d.logFile)
	if err != nil {
		return ""
	}
	return string(b)
}

// tail is the end of a log, short enough for a message.
func tail(log string) string {
	const most = 4000
	return log[max(0, len(log)-most):]
}
