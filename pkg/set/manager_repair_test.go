package set_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestARepairIsSeenAsDegraded(t *testing.T) {
	f := settest.NewFakes()
	m := settest.NewManager(t, f)
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
	for _, method := range []string{"Engine.Prepare", "Network.Attach", "Engine.Start"} {
		release := f.Block(method)
		calls := f.Calls(method)
		require.True(t, f.Engine.LoseInfra("s1"))
		require.Eventually(t, func() bool { return f.Calls(method) > calls }, settest.Patience, time.Millisecond)
		list, err := m.Observe(t.Context(), "s1")
		require.NoError(t, err)
		assert.Equal(t, set.StateDegraded, list[0].State, method)
		assert.NotNil(t, list[0].Fault, method)
		release()
		settest.AwaitState(t, m, "s1", 1, set.StateRunning)
	}
}

func TestALongPullLeavesTimeToRetryTheRest(t *testing.T) {
	f := settest.NewFakes()
	release := f.Block("Images.Ensure")
	m := settest.NewManager(t, f)
	f.FailNext("Engine.Prepare", 1, set.ErrUnavailable)
	_, err := m.Apply(t.Context(), settest.Assignment("s1"))
	require.NoError(t, err)
	time.Sleep(2 * f.Config().RetryFor)
	release()
	o := settest.Await(t, m, "s1", "settled", func(o set.Observation) bool { return o.State == set.StateRunning || o.State == set.StateFailed })
	assert.Equal(t, set.StateRunning, o.State, "%+v", o.Fault)
}

// upUnsaved brings s1 up while the journal does not take that it runs.
func upUnsaved(t *testing.T, f *settest.Fakes, m *set.Manager) {
	t.Helper()
	release := f.Block("Engine.Start")
	defer release()
	_, err := m.Apply(t.Context(), settest.Assignment("s1"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return f.Calls("Engine.Start") > 0 }, settest.Patience, time.Millisecond)
	f.FailNext("Journal.Save", 2, set.ErrUnavailable)
	release()
	settest.AwaitState(t, m, "s1", 1, set.StateRunning)
}

func TestAStateTheJournalDidNotTakeIsWrittenLater(t *testing.T) {
	f := settest.NewFakes()
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	upUnsaved(t, f, m)
	require.Eventually(t, func() bool { return runs(f) }, settest.Patience, time.Millisecond)
	require.NoError(t, m.Close())

	volumes := f.Engine.Volumes("s1")
	require.True(t, f.Engine.LoseInfra("s1"))
	f.FailNext("Engine.Start", 1, errors.New("it is broken"))
	starts := f.Calls("Engine.Start")
	again := settest.NewManager(t, f)
	settest.Await(t, again, "s1", "repaired", func(o set.Observation) bool {
		return f.Calls("Engine.Start") == starts+2 && o.State == set.StateRunning
	})
	assert.Equal(t, volumes, f.Engine.Volumes("s1"), "what has run keeps its volumes")
}

func TestAnUnsavedStateDoesNotOutliveItsServer(t *testing.T) {
	f := settest.NewFakes()
	m := settest.NewManager(t, f)
	upUnsaved(t, f, m)
	f.Mend()
	removeAll(t, m, f, "unsaved")
	settest.AwaitState(t, m, "s1", 0, set.StateDeleted)
	assert.Never(t, func() bool { return len(f.Left("s1")) > 0 }, 50*time.Millisecond, 5*time.Millisecond)
}

func TestRestartsAreCountedOverARestartOfTheManager(t *testing.T) {
	f := settest.NewFakes()
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
	restarted := func(n int) func(set.Observation) bool {
		return func(o set.Observation) bool { return o.State == set.StateRunning && o.Containers[2].Restarts == n }
	}
	require.True(t, f.Engine.Exit("s1", "app", 1))
	settest.Await(t, m, "s1", "restarted", restarted(1))
	require.NoError(t, m.Close())

	again := settest.NewManager(t, f)
	require.True(t, f.Engine.Exit("s1", "app", 1))
	settest.Await(t, again, "s1", "restarted again", restarted(2))
}

// chatty is an Engine that tells of a server whenever it is asked to, as a real one does of late removals.
type chatty struct {
	set.Engine
	say chan string
}

func (c chatty) Events(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case id := <-c.say:
				if !yield(id, nil) {
					return
				}
			}
		}
	}
}

// removedOn is a Manager on a chatty Engine that has removed s1.
func removedOn(t *testing.T, f *settest.Fakes) (*set.Manager, chatty) {
	t.Helper()
	cfg := f.Config()
	engine := chatty{f.Engine, make(chan string)}
	cfg.Engine, cfg.Poll = engine, time.Hour
	m, err := set.NewManager(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
	removeAll(t, m, f, "chatty")
	settest.AwaitState(t, m, "s1", 0, set.StateDeleted)
	return m, engine
}

func TestATombstoneRestsAfterALateEvent(t *testing.T) {
	f := settest.NewFakes()
	_, engine := removedOn(t, f)
	time.Sleep(10 * f.Config().Backoff)
	looks := f.Calls("Engine.List")
	engine.say <- "s1"
	require.Eventually(t, func() bool { return f.Calls("Engine.List") > looks }, settest.Patience, time.Millisecond, "an event is looked after")
	assert.Never(t, func() bool { return f.Calls("Engine.List") > looks+4 }, 50*time.Millisecond, time.Millisecond)
}

func TestACreateThatComesThroughAfterTheRemovalIsRemoved(t *testing.T) {
	for name, told := range map[string]bool{"with an event": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			f := settest.NewFakes()
			m, engine := removedOn(t, f)
			late := stray()
			late.ServerID = "s1"
			f.Engine.Put(late)
			if told {
				engine.say <- "s1"
			}
			require.Eventually(t, func() bool { return len(f.Left("s1")) == 0 }, settest.Patience, time.Millisecond)
			settest.AwaitState(t, m, "s1", 0, set.StateDeleted)
		})
	}
}

func TestASuspendedServerIsNotWrittenAgainAndAgain(t *testing.T) {
	f := settest.NewFakes()
	m := settest.NewManager(t, f)
	a := settest.Assignment("s1")
	apply(t, m, a, set.StateRunning)
	apply(t, m, settest.Next(a, func(a *set.Assignment) { a.Desired = set.DesiredSuspended }), set.StateSuspended)
	looks, saves := f.Calls("Engine.List"), f.Calls("Journal.Save")
	require.Eventually(t, func() bool { return f.Calls("Engine.List") >= looks+3 }, settest.Patience, time.Millisecond)
	assert.Equal(t, saves, f.Calls("Journal.Save"))
}

func TestAStopDoesNotWaitForSomebodysPull(t *testing.T) {
	f := settest.NewFakes()
	cfg := f.Config()
	cfg.DownLimit = 1
	m, err := set.NewManager(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
	release := f.Block("Images.Ensure")
	defer release()
	pulls := f.Calls("Images.Ensure")
	slow := settest.Assignment("s2")
	slow.Desired = set.DesiredStopped
	_, err = m.Apply(t.Context(), slow)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return f.Calls("Images.Ensure") > pulls }, settest.Patience, time.Millisecond)
	removeAll(t, m, f, "while another pulls")
}
