package set_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

var errHostDied = fmt.Errorf("%w: the host died", set.ErrUnavailable)

// interrupted runs a Manager on f until it has met the breakdown, or settled without, and closes it.
func interrupted(t *testing.T, f *settest.Fakes, do func(*set.Manager), broken int, settled func() bool) (met bool) {
	t.Helper()
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	do(m)
	require.Eventually(t, func() bool { met = f.Calls("") >= broken; return met || settled() }, settest.Patience, time.Millisecond/4)
	require.NoError(t, m.Close())
	return met
}

// everyCall runs a scenario once for each call that its host makes, with the host dying at that call,
// before or after its effect.
func everyCall(t *testing.T, scenario func(t *testing.T, f *settest.Fakes, k int, effect bool) (met bool)) {
	for _, effect := range []bool{false, true} {
		n := 0
		for k := 1; ; k++ {
			f := settest.NewFakes()
			f.FailFrom(k, effect, errHostDied)
			if !scenario(t, f, k, effect) {
				break
			}
			n++
			require.Less(t, k, 200, "the scenario does not end")
		}
		assert.GreaterOrEqual(t, n, 5, "so few calls cannot make or remove a server")
	}
}

func TestCreateGoesOnAfterADeathAtEveryCall(t *testing.T) {
	everyCall(t, func(t *testing.T, f *settest.Fakes, k int, _ bool) bool {
		a := settest.Assignment("s1")
		accepted := false
		met := interrupted(t, f, func(m *set.Manager) {
			_, err := m.Apply(t.Context(), a)
			accepted = err == nil
		}, k, func() bool { return runs(f) })
		f.Mend()
		m := settest.NewManager(t, f)
		if !accepted { // the region tells it again
			_, err := m.Apply(t.Context(), a)
			require.NoError(t, err, "call %d", k)
		}
		settest.AwaitState(t, m, "s1", 1, set.StateRunning)
		assert.Len(t, f.Engine.Volumes("s1"), 1)
		removeAll(t, m, f, "call %d", k)
		return met
	})
}

func TestRemoveGoesOnAfterADeathAtEveryCall(t *testing.T) {
	everyCall(t, func(t *testing.T, f *settest.Fakes, k int, effect bool) bool {
		f.Mend()
		first, err := set.NewManager(f.Config())
		require.NoError(t, err)
		_, err = first.Apply(t.Context(), settest.Assignment("s1"))
		require.NoError(t, err)
		settest.AwaitState(t, first, "s1", 1, set.StateRunning)
		require.NoError(t, first.Close())
		broken := f.Calls("") + k
		f.FailFrom(broken, effect, errHostDied)
		met := interrupted(t, f, func(m *set.Manager) {
			_, _ = m.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 1})
		}, broken, func() bool { return len(f.Left("s1")) == 0 })
		f.Mend()
		m := settest.NewManager(t, f)
		removeAll(t, m, f, "call %d", k)
		return met
	})
}

func runs(f *settest.Fakes) bool {
	r, ok := f.Journal.Record("s1")
	return ok && r.Reached
}

func removeAll(t *testing.T, m *set.Manager, f *settest.Fakes, format string, args ...any) {
	t.Helper()
	_, err := m.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 1})
	require.NoError(t, err, fmt.Sprintf(format, args...))
	require.Eventually(t, func() bool { return len(f.Left("s1")) == 0 }, settest.Patience, time.Millisecond/4, fmt.Sprintf(format, args...))
}

func TestAFailureAtEveryCallLeavesNothing(t *testing.T) {
	for _, method := range []string{"Images.Ensure", "Engine.Prepare", "Network.Attach", "Engine.Start"} {
		for name, cause := range map[string]error{"for good": errors.New("it is broken"), "unavailable": set.ErrUnavailable} {
			t.Run(method+" "+name, func(t *testing.T) {
				f := settest.NewFakes()
				f.FailNext(method, 1<<30, cause)
				m := settest.NewManager(t, f)
				_, err := m.Apply(t.Context(), settest.Assignment("s1"))
				require.NoError(t, err)
				o := settest.AwaitState(t, m, "s1", 1, set.StateFailed)
				require.NotNil(t, o.Fault)
				assert.Equal(t, set.Code(cause), o.Fault.Code)
				assert.Contains(t, o.Fault.Message, cause.Error())
				assert.Equal(t, []string{"journal"}, f.Left("s1"))
				calls := f.Calls(method)
				if cause == set.ErrUnavailable {
					assert.Greater(t, calls, 1, "what is unavailable is tried again")
				} else if method != "Images.Ensure" {
					assert.Equal(t, 1, calls, "what is wrong is not")
				}
			})
		}
	}
}

func TestAFailedServerStaysFailedUntilToldAgain(t *testing.T) {
	f := settest.NewFakes()
	f.FailNext("Engine.Prepare", 1, errors.New("it is broken"))
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	_, err = m.Apply(t.Context(), settest.Assignment("s1"))
	require.NoError(t, err)
	settest.AwaitState(t, m, "s1", 1, set.StateFailed)
	require.NoError(t, m.Close())

	again := settest.NewManager(t, f)
	settest.AwaitState(t, again, "s1", 1, set.StateFailed)
	assert.Equal(t, 1, f.Calls("Engine.Prepare"))
	_, err = again.Apply(t.Context(), settest.Next(settest.Assignment("s1"), nil))
	require.NoError(t, err)
	settest.AwaitState(t, again, "s1", 2, set.StateRunning)
}

func TestAFailedStartOfAServerThatRanKeepsItsVolumes(t *testing.T) {
	f := settest.NewFakes()
	m := settest.NewManager(t, f)
	a := settest.Assignment("s1")
	apply(t, m, a, set.StateRunning)
	volumes := f.Engine.Volumes("s1")
	a = settest.Next(a, func(a *set.Assignment) { a.Desired = set.DesiredStopped })
	apply(t, m, a, set.StateStopped)

	f.FailNext("Engine.Start", 1, errors.New("it is broken"))
	a = settest.Next(a, func(a *set.Assignment) { a.Desired = set.DesiredRunning })
	apply(t, m, a, set.StateFailed)
	assert.Equal(t, volumes, f.Engine.Volumes("s1"))
	_, attached := f.Network.Port("s1")
	assert.False(t, attached)
	found, _ := f.Engine.Found("s1")
	assert.Empty(t, found.Sandbox.NetNS, "it is stopped")

	apply(t, m, settest.Next(a, nil), set.StateRunning)
	assert.Equal(t, volumes, f.Engine.Volumes("s1"))
}

// apply tells the Manager and waits for a state of that generation.
func apply(t *testing.T, m *set.Manager, a set.Assignment, s set.State) set.Observation {
	t.Helper()
	_, err := m.Apply(t.Context(), a)
	require.NoError(t, err)
	return settest.AwaitState(t, m, a.ServerID, a.Generation, s)
}
