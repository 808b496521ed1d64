package integration

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// loaded are Images of which every one is on the host.
type loaded string

func (l loaded) Ensure(context.Context, set.ImageRequest, func(done, total int64)) (string, error) {
	return string(l), nil
}

// noNetwork attaches nothing.
type noNetwork struct{}

func (noNetwork) Attach(context.Context, set.AttachRequest) error { return nil }
func (noNetwork) Detach(context.Context, string) error            { return nil }
func (noNetwork) List(context.Context) ([]string, error)          { return nil, nil }

// process is a Manager with the journal that it holds.
type process struct {
	*set.Manager
	journal *set.FileJournal
}

// end is Close of both.
func (p process) end(t *testing.T) {
	t.Helper()
	require.NoError(t, p.Manager.Close())
	require.NoError(t, p.journal.Close())
}

// newManager is the host as its next process would make it.
func (l *lab) newManager(journal string) process {
	l.t.Helper()
	j, err := set.OpenFileJournal(journal)
	require.NoError(l.t, err)
	m, err := set.NewManager(set.ManagerConfig{Engine: l.newEngine(), Images: loaded(l.image), Network: noNetwork{}, Journal: j,
		Backoff: 500 * time.Millisecond, Poll: 5 * time.Second})
	require.NoError(l.t, err)
	return process{m, j}
}

// watchUntil returns the first observation of a server that is in the given state.
func watchUntil(t *testing.T, m process, id string, want set.State) set.Observation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var states []set.State
	for o, err := range m.Watch(ctx) {
		require.NoError(t, err)
		if o.ServerID != id {
			continue
		}
		states = append(states, o.State)
		if o.State == want {
			return o
		}
	}
	require.Fail(t, "it never came", "states so far: %v", states)
	return set.Observation{}
}

// pids of a server's containers, by name.
func (l *lab) pids(in set.Instance) map[string]int {
	l.t.Helper()
	pids := map[string]int{}
	for _, c := range l.found(in).Containers {
		have, err := l.docker.ContainerInspect(l.t.Context(), c.ID)
		require.NoError(l.t, err)
		pids[c.Name] = have.State.Pid
	}
	return pids
}

// deathOf kills a member and returns every observation until it runs again as often restarted as wanted.
func (l *lab) deathOf(m process, in set.Instance, name string, restarts int) (seen []set.Observation) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 30*time.Second)
	defer cancel()
	id := l.status(in, name).ID
	for o, err := range m.Watch(ctx) {
		require.NoError(l.t, err)
		seen = append(seen, o)
		if len(seen) == 1 { // the watch is open: nothing of what follows is missed by being late
			go func() { assert.NoError(l.t, l.docker.ContainerKill(ctx, id, "KILL")) }()
		}
		for _, c := range o.Containers {
			if o.State == set.StateRunning && c.Name == name && c.Restarts == restarts {
				return seen
			}
		}
	}
	require.Fail(l.t, name+" was not restarted")
	return nil
}

// told says whether one of the observations has the state, any for "", and a fault with the sentence.
func told(seen []set.Observation, s set.State, sentence string) bool {
	return slices.ContainsFunc(seen, func(o set.Observation) bool {
		return (s == "" || o.State == s) && o.Fault != nil && o.Fault.Message == sentence
	})
}

func TestAManagerRestartsAMemberThatDied(t *testing.T) {
	const sentence = "container web is exited with exit code 137"
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"serve"}}, set.Container{Name: "logs", Role: set.RoleSidecar, Args: []string{"serve"}})
	m := l.newManager(t.TempDir())
	defer m.end(t)
	_, err := m.Apply(t.Context(), in.Assignment)
	require.NoError(t, err)
	watchUntil(t, m, in.ServerID, set.StateRunning)
	before := l.pids(in)

	// The first repair begins at once, so a watcher may see only what comes after degraded, with its fault.
	seen := l.deathOf(m, in, "web", 1)
	assert.True(t, told(seen, "", sentence), "%+v", seen)
	assert.Nil(t, seen[len(seen)-1].Fault, "it is over")
	// The second waits for its turn.
	seen = l.deathOf(m, in, "web", 2)
	assert.True(t, told(seen, set.StateDegraded, sentence), "%+v", seen)

	after := l.pids(in)
	assert.NotEqual(t, before["web"], after["web"])
	assert.Equal(t, before["logs"], after["logs"], "its neighbours run on")
	assert.Equal(t, before["infra"], after["infra"])
}

func TestTheNextManagerAdoptsWhatRuns(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"serve"}})
	journal := t.TempDir()
	first := l.newManager(journal)
	_, err := first.Apply(t.Context(), in.Assignment)
	require.NoError(t, err)
	watchUntil(t, first, in.ServerID, set.StateRunning)
	before := l.pids(in)
	first.end(t)
	assert.Equal(t, before, l.pids(in), "the end of a Manager is no end of a container")

	second := l.newManager(journal)
	defer second.end(t)
	o := watchUntil(t, second, in.ServerID, set.StateRunning)
	assert.Equal(t, in.Generation, o.Generation)
	assert.Equal(t, before, l.pids(in))

	_, err = second.Remove(t.Context(), set.Removal{ServerID: in.ServerID, Epoch: in.Epoch})
	require.NoError(t, err)
	watchUntil(t, second, in.ServerID, set.StateDeleted)
	l.requireGone(in.ServerID)
}

func TestAMemberThatDiedWhileNobodyLookedIsStarted(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"serve"}})
	journal := t.TempDir()
	first := l.newManager(journal)
	_, err := first.Apply(t.Context(), in.Assignment)
	require.NoError(t, err)
	watchUntil(t, first, in.ServerID, set.StateRunning)
	first.end(t)
	dead := l.status(in, "web").ID
	require.NoError(t, l.docker.ContainerKill(t.Context(), dead, "KILL"))
	l.eventually(in, "web", func(c set.ContainerStatus) bool { return c.State == set.ContainerExited })

	second := l.newManager(journal)
	defer second.end(t)
	c := l.eventually(in, "web", func(c set.ContainerStatus) bool { return c.State == set.ContainerRunning })
	assert.Equal(t, dead, c.ID, "the same container, started again")
}

func TestAFailedCreateLeavesNothingBehind(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Command: []string{"/nope"}}, set.Container{Name: "logs", Role: set.RoleSidecar, Args: []string{"serve"}})
	m := l.newManager(t.TempDir())
	defer m.end(t)
	_, err := m.Apply(t.Context(), in.Assignment)
	require.NoError(t, err)
	o := watchUntil(t, m, in.ServerID, set.StateFailed)
	require.NotNil(t, o.Fault)
	assert.Equal(t, "invalid", o.Fault.Code)
	assert.Contains(t, o.Fault.Message, `container web: its command "/nope" cannot be run`)
	l.requireGone(in.ServerID)
}

func TestAHostLeavesAnotherHostsServersAlone(t *testing.T) {
	ours, theirs := newLab(t), newLab(t) // two moset hosts on one Docker
	in := theirs.instance(set.Container{Name: "web", Args: []string{"serve"}})
	theirs.up(in)
	before := theirs.pids(in)
	m := ours.newManager(t.TempDir()) // it looks for strays when it begins
	mine := ours.instance(set.Container{Name: "web", Args: []string{"serve"}})
	_, err := m.Apply(t.Context(), mine.Assignment)
	require.NoError(t, err)
	watchUntil(t, m, mine.ServerID, set.StateRunning)
	list, err := ours.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, mine.ServerID, list[0].ServerID)
	require.NoError(t, ours.Remove(t.Context(), in.ServerID))
	require.NoError(t, ours.Stop(t.Context(), in))
	m.end(t)
	assert.Equal(t, before, theirs.pids(in))
}

func TestWavesStartOneAfterTheOther(t *testing.T) {
	l := newLab(t)
	in := l.instance(
		set.Container{Name: "third", Args: []string{"serve"}, StartAfter: []string{"second"}},
		set.Container{Name: "second", Args: []string{"serve"}, StartAfter: []string{"first"}},
		set.Container{Name: "first", Role: set.RoleSidecar, Args: []string{"serve"}})
	l.up(in)
	first, second, third := l.status(in, "first"), l.status(in, "second"), l.status(in, "third")
	assert.True(t, first.StartedAt.Before(second.StartedAt), "%s, %s", first.StartedAt, second.StartedAt)
	assert.True(t, second.StartedAt.Before(third.StartedAt), "%s, %s", second.StartedAt, third.StartedAt)
	assert.Equal(t, []string{"infra", "third", "second", "first"}, names(l.found(in)), "but they are listed as the spec has them")
}

func TestAPrepareWhoseCallerLeftIsTakenUpAgain(t *testing.T) {
	l := newLab(t)
	for _, after := range []time.Duration{1, 15, 50, 100} {
		in := l.instance(set.Container{Name: "a", Args: []string{"serve"}}, set.Container{Name: "b", Args: []string{"serve"}})
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(after*time.Millisecond, cancel)
		if _, err := l.Prepare(ctx, in); err != nil {
			require.ErrorIs(t, err, context.Canceled, "who left is told so, and nothing about Docker")
		}
		timer.Stop()
		cancel()
		l.up(in)
		assert.Equal(t, []set.ContainerState{set.ContainerRunning, set.ContainerRunning, set.ContainerRunning}, states(l.found(in)))
	}
}

func TestADeleteAtAnyMomentOfACreateLeavesNothing(t *testing.T) {
	l := newLab(t)
	m := l.newManager(t.TempDir())
	defer m.end(t)
	var ids []string
	for after := 200 * time.Microsecond; after < 40*time.Millisecond; after += 2 * time.Millisecond {
		in := l.instance(set.Container{Name: "web", Args: []string{"serve"}})
		_, err := m.Apply(t.Context(), in.Assignment)
		require.NoError(t, err)
		time.Sleep(after)
		_, err = m.Remove(t.Context(), set.Removal{ServerID: in.ServerID, Epoch: in.Epoch})
		require.NoError(t, err)
		watchUntil(t, m, in.ServerID, set.StateDeleted)
		ids = append(ids, in.ServerID)
	}
	time.Sleep(2 * time.Second) // a create that its caller gave up may still come true in the engine
	found, err := l.Engine.List(t.Context(), ids...)
	require.NoError(t, err)
	assert.Empty(t, found)
}
