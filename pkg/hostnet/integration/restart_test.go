package integration

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// aloneEnv tells a test that it runs in a network of its own.
const aloneEnv = "HOSTNET_TEST_ALONE"

// alone runs the calling test again in a process with a network namespace of its own, and there starts an
// Open vSwitch that the test may kill: that of MOSET_TEST_OVS_RUNDIR serves other tests too, and the
// userspace datapath allows one per network. It returns nil in the outer process, which is done then.
func alone(t *testing.T) *hostnettest.OVS {
	t.Helper()
	require.Zero(t, os.Geteuid(), "these tests need root")
	if os.Getenv(aloneEnv) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.timeout=120s")
		cmd.Env = append(os.Environ(), aloneEnv+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return nil
	}
	dir := t.TempDir()
	o, err := hostnettest.StartOVS(t.Context(), dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Stop()) })
	t.Setenv("MOSET_TEST_OVS_RUNDIR", dir)
	return o
}

func TestRestartedSwitchGetsItsRulesBack(t *testing.T) {
	o := alone(t)
	if o == nil {
		return
	}
	r := newRig(t)
	h := r.open(owner)
	a, b, late := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2"), r.port(3, 5, "10.0.0.3")
	a.ToContainer.Rate = 10 * hostnet.Mbit
	st := r.attach(h, a, b)[0]
	require.True(t, r.reaches(a, b))
	flows := r.flows()

	require.NoError(t, o.KillSwitch())
	assert.ErrorIs(t, awaitEvent(t, h, hostnet.SwitchDown).Err, hostnet.ErrUnavailable)
	assert.ErrorIs(t, h.Check(t.Context()), hostnet.ErrUnavailable)
	_, err := h.Attach(t.Context(), late)
	assert.ErrorIs(t, err, hostnet.ErrUnavailable)

	require.NoError(t, o.StartSwitch(t.Context()))
	awaitEvent(t, h, hostnet.SwitchRestarted)
	assert.Equal(t, flows, r.flows())
	assert.True(t, r.reaches(a, b))
	assert.Equal(t, uint64(10e6/8), tbfRate(t, st.HostIf), "the switch left the limit alone")
	assert.NoError(t, h.Check(t.Context()))
	r.attach(h, late)
	assert.True(t, r.reaches(a, late))
}

func awaitEvent(t *testing.T, h *hostnet.Host, kind hostnet.EventKind) hostnet.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		select {
		case e := <-h.Events():
			if e.Kind == kind {
				return e
			}
		case <-ctx.Done():
			require.FailNow(t, "no event", string(kind))
		}
	}
}
