package set_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestARestartAdoptsWithoutTouchingContainers(t *testing.T) {
	f := settest.NewFakes()
	first, err := set.NewManager(f.Config())
	require.NoError(t, err)
	before := apply(t, first, settest.Assignment("s1"), set.StateRunning)
	require.NoError(t, first.Close())
	calls := map[string]int{}
	for _, m := range []string{"Engine.Prepare", "Engine.Start", "Engine.Stop", "Images.Ensure"} {
		calls[m] = f.Calls(m)
	}
	attaches := f.Calls("Network.Attach")

	second := settest.NewManager(t, f)
	require.Eventually(t, func() bool { return f.Calls("Network.Attach") > attaches }, settest.Patience, time.Millisecond, "flows may be gone: attach again")
	after := settest.AwaitState(t, second, "s1", 1, set.StateRunning)
	for i, c := range after.Containers {
		assert.Equal(t, before.Containers[i].ID, c.ID)
		assert.True(t, before.Containers[i].StartedAt.Equal(c.StartedAt), c.Name)
	}
	for m, n := range calls {
		assert.Equal(t, n, f.Calls(m), m)
	}
}

func TestARestartNeedsNoRegistry(t *testing.T) {
	f := settest.NewFakes()
	first, err := set.NewManager(f.Config())
	require.NoError(t, err)
	apply(t, first, settest.Assignment("s1"), set.StateRunning)
	require.NoError(t, first.Close())
	f.Engine.LoseInfra("s1")
	f.FailNext("Images.Ensure", 1<<30, set.ErrUnavailable)
	second := settest.NewManager(t, f)
	settest.Await(t, second, "s1", "rebuilt", func(o set.Observation) bool { _, ok := portOf(f, "s1"); return ok && o.State == set.StateRunning })
	assert.Equal(t, 2, f.Calls("Images.Ensure"))
}

// portOf is the server's port if it is on the sandbox that runs.
func portOf(f *settest.Fakes, id string) (set.AttachRequest, bool) {
	p, ok := f.Network.Port(id)
	found, _ := f.Engine.Found(id)
	return p, ok && found.Sandbox.NetNS != "" && found.Sandbox == p.Sandbox
}

func TestAnImageThatIsGoneFromTheHostIsPulledAgain(t *testing.T) {
	f := settest.NewFakes()
	m := settest.NewManager(t, f)
	a := settest.Assignment("s1")
	apply(t, m, a, set.StateRunning)
	a = settest.Next(a, func(a *set.Assignment) { a.Desired = set.DesiredStopped })
	apply(t, m, a, set.StateStopped)
	f.Images.Forget()
	apply(t, m, settest.Next(a, func(a *set.Assignment) { a.Desired = set.DesiredRunning }), set.StateRunning)
	assert.Equal(t, 4, f.Calls("Images.Ensure"))
}

func TestRemoveDuringACreateWins(t *testing.T) {
	for _, method := range []string{"Images.Ensure", "Engine.Prepare", "Network.Attach", "Engine.Start"} {
		t.Run(method, func(t *testing.T) {
			f := settest.NewFakes()
			release := f.Block(method)
			defer release()
			m := settest.NewManager(t, f)
			_, err := m.Apply(t.Context(), settest.Assignment("s1"))
			require.NoError(t, err)
			require.Eventually(t, func() bool { return f.Calls(method) > 0 }, settest.Patience, time.Millisecond)
			_, err = m.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 1})
			require.NoError(t, err)
			settest.AwaitState(t, m, "s1", 0, set.StateDeleted)
			assert.Empty(t, f.Left("s1"))
		})
	}
}

func TestANewerGenerationEndsTheOlderOnesWork(t *testing.T) {
	f := settest.NewFakes()
	release := f.Block("Images.Ensure")
	defer release()
	m := settest.NewManager(t, f)
	a := settest.Assignment("s1")
	_, err := m.Apply(t.Context(), a)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return f.Calls("Images.Ensure") > 0 }, settest.Patience, time.Millisecond)
	release()
	a = settest.Next(a, func(a *set.Assignment) { a.Desired = set.DesiredStopped })
	apply(t, m, a, set.StateStopped)
	found, _ := f.Engine.Found("s1")
	assert.Empty(t, found.Sandbox.NetNS)
}

func TestAContainerThatExitsIsRestartedAndCounted(t *testing.T) {
	f := settest.NewFakes()
	m := settest.NewManager(t, f)
	volumes := apply(t, m, settest.Assignment("s1"), set.StateRunning)
	for n := 1; n <= 4; n++ {
		require.True(t, f.Engine.Exit("s1", "app", 3))
		o := settest.Await(t, m, "s1", fmt.Sprintf("restarted %d times", n), func(o set.Observation) bool {
			return o.State == set.StateRunning && o.Containers[2].Restarts == n
		})
		assert.Zero(t, o.Containers[1].Restarts)
		assert.Equal(t, volumes.Containers[1].ID, o.Containers[1].ID)
		assert.Nil(t, o.Fault)
	}
	o := apply(t, m, settest.Next(settest.Assignment("s1"), nil), set.StateRunning)
	assert.Zero(t, o.Containers[2].Restarts, "a new generation starts to count anew")
}

func TestADegradedServerSaysWhatIsDown(t *testing.T) {
	f := settest.NewFakes()
	cfg := f.Config()
	cfg.Backoff, cfg.BackoffMax = time.Hour, time.Hour
	m, err := set.NewManager(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
	for n := 1; n <= 2; n++ { // the first is repaired at once, the second after Backoff
		require.True(t, f.Engine.Exit("s1", "app", 3))
		if n == 1 {
			settest.Await(t, m, "s1", "repaired", func(o set.Observation) bool { return o.State == set.StateRunning && o.Containers[2].Restarts == 1 })
		}
	}
	o := settest.AwaitState(t, m, "s1", 1, set.StateDegraded)
	require.NotNil(t, o.Fault)
	assert.Equal(t, "container app is exited with exit code 3", o.Fault.Message)
	assert.Equal(t, set.ContainerRunning, o.Containers[1].State, "the others run on")
}

func TestALostInfraContainerIsBuiltAgain(t *testing.T) {
	f := settest.NewFakes()
	m := settest.NewManager(t, f)
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
	old, _ := f.Network.Port("s1")
	require.True(t, f.Engine.LoseInfra("s1"))
	settest.Await(t, m, "s1", "running in a new sandbox", func(o set.Observation) bool {
		p, ok := portOf(f, "s1")
		return ok && p.Sandbox.ID != old.Sandbox.ID && o.State == set.StateRunning && o.Fault == nil
	})
}

func TestAnEngineThatIsAwayIsNotedAndForgotten(t *testing.T) {
	f := settest.NewFakes()
	m := settest.NewManager(t, f)
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
	f.FailNext("Engine.List", 1<<30, set.ErrUnavailable)
	o := settest.Await(t, m, "s1", "with a fault", func(o set.Observation) bool { return o.Fault != nil })
	assert.Equal(t, set.StateRunning, o.State, "nothing says that it stopped")
	assert.Equal(t, "unavailable", o.Fault.Code)
	f.Mend()
	settest.Await(t, m, "s1", "without a fault", func(o set.Observation) bool { return o.Fault == nil })
}

// safeBuffer is a log that two goroutines may use.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestLeftoversOfTheNetworkAreDetached(t *testing.T) {
	f := settest.NewFakes()
	require.NoError(t, f.Network.Attach(t.Context(), set.AttachRequest{ServerID: "gone", Sandbox: set.Sandbox{ID: "x", NetNS: "/x"}}))
	f.FailNext("Network.List", 2, set.ErrUnavailable)
	settest.NewManager(t, f)
	require.Eventually(t, func() bool { return len(f.Left("gone")) == 0 }, settest.Patience, time.Millisecond)
}

func stray() set.Found {
	return set.Found{ServerID: "stray", Generation: 3, Epoch: 2, Sandbox: set.Sandbox{ID: "x", NetNS: "/x"}, Containers: []set.ContainerStatus{
		{Name: "infra", Role: set.RoleInfra, State: set.ContainerRunning}, {Name: "app", Role: set.RoleApp, State: set.ContainerRunning}}}
}

func TestStraysAreReportedAndNotKilled(t *testing.T) {
	f := settest.NewFakes()
	f.Engine.Put(stray())
	require.NoError(t, f.Network.Attach(t.Context(), set.AttachRequest{ServerID: "stray", Sandbox: stray().Sandbox}))
	log := &safeBuffer{}
	cfg := f.Config()
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	m, err := set.NewManager(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	o := settest.AwaitState(t, m, "stray", 3, set.StateRunning)
	assert.Equal(t, uint64(2), o.Epoch)
	assert.Contains(t, log.String(), "stray")
	assert.Equal(t, []string{"engine", "network"}, f.Left("stray"))
	assert.Zero(t, f.Calls("Engine.Stop"))

	_, err = m.Remove(t.Context(), set.Removal{ServerID: "stray", Epoch: 1})
	require.ErrorIs(t, err, set.ErrStaleEpoch)
	late := settest.Assignment("stray")
	_, err = m.Apply(t.Context(), late)
	require.ErrorIs(t, err, set.ErrStaleEpoch)
	_, err = m.Remove(t.Context(), set.Removal{ServerID: "stray", Epoch: 2})
	require.NoError(t, err)
	settest.AwaitState(t, m, "stray", 0, set.StateDeleted)
	assert.Empty(t, f.Left("stray"))
}

func TestAStrayThatWentByItselfIsForgottenWhenRemoved(t *testing.T) {
	f := settest.NewFakes()
	f.Engine.Put(stray())
	m := settest.NewManager(t, f)
	settest.AwaitState(t, m, "stray", 3, set.StateRunning)
	require.NoError(t, f.Engine.Remove(t.Context(), "stray"))
	o, err := m.Remove(t.Context(), set.Removal{ServerID: "stray", Epoch: 2})
	require.NoError(t, err)
	assert.Equal(t, set.StateDeleted, o.State)
	list, err := m.Observe(t.Context())
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestAStrayThatIsGivenBackKeepsItsVolumesWhenItsStartFails(t *testing.T) {
	f := settest.NewFakes()
	first, err := set.NewManager(f.Config())
	require.NoError(t, err)
	apply(t, first, settest.Assignment("s1"), set.StateRunning)
	require.NoError(t, first.Close())
	volumes := f.Engine.Volumes("s1")
	require.NoError(t, f.Journal.Delete("s1")) // its record was damaged
	f.Engine.LoseInfra("s1")

	m := settest.NewManager(t, f)
	settest.Await(t, m, "s1", "reported", func(o set.Observation) bool { return o.State == set.StateDegraded })
	f.FailNext("Engine.Start", 1, set.ErrForbidden)
	apply(t, m, settest.Next(settest.Assignment("s1"), nil), set.StateFailed)
	assert.Equal(t, volumes, f.Engine.Volumes("s1"))
}

func TestATombstoneAges(t *testing.T) {
	f := settest.NewFakes()
	cfg := f.Config()
	cfg.Tombstone = 10 * time.Millisecond
	m, err := set.NewManager(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
	_, err = m.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 1})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		list, err := m.Observe(t.Context())
		return err == nil && len(list) == 0
	}, settest.Patience, time.Millisecond)
	apply(t, m, settest.Assignment("s1"), set.StateRunning)
}

func TestWatchSaysThatTheManagerCloses(t *testing.T) {
	m, err := set.NewManager(settest.NewFakes().Config())
	require.NoError(t, err)
	time.AfterFunc(10*time.Millisecond, func() { _ = m.Close() })
	var last error
	for _, err := range m.Watch(t.Context()) {
		last = err
	}
	require.ErrorIs(t, last, set.ErrUnavailable)
}

func TestAClosedManagerTakesNothing(t *testing.T) {
	f := settest.NewFakes()
	f.Engine.Put(stray())
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	require.NoError(t, m.Close())
	_, err = m.Apply(t.Context(), settest.Assignment("s1"))
	require.ErrorIs(t, err, set.ErrUnavailable)
	_, err = m.Remove(t.Context(), set.Removal{ServerID: "stray", Epoch: 9})
	require.ErrorIs(t, err, set.ErrUnavailable)
	assert.Empty(t, f.Left("s1"))
}

// plainEngine is an Engine without abilities.
type plainEngine struct{ set.Engine }

func TestAnEngineWithoutAbilitiesIsPolledAndCannotSuspend(t *testing.T) {
	f := settest.NewFakes()
	cfg := f.Config()
	cfg.Engine = plainEngine{f.Engine}
	m, err := set.NewManager(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	a := settest.Assignment("s1")
	apply(t, m, a, set.StateRunning)
	require.True(t, f.Engine.Exit("s1", "app", 1))
	settest.Await(t, m, "s1", "repaired", func(o set.Observation) bool { return o.State == set.StateRunning && o.Containers[2].Restarts == 1 })
	_, err = m.Apply(t.Context(), settest.Next(a, func(a *set.Assignment) { a.Desired = set.DesiredSuspended }))
	require.ErrorIs(t, err, set.ErrInvalid)
}

func TestAManagerNeedsItsSeams(t *testing.T) {
	for name, spoil := range map[string]func(*set.ManagerConfig){
		"engine":  func(c *set.ManagerConfig) { c.Engine = nil },
		"images":  func(c *set.ManagerConfig) { c.Images = nil },
		"network": func(c *set.ManagerConfig) { c.Network = nil },
		"journal": func(c *set.ManagerConfig) { c.Journal = nil },
	} {
		cfg := settest.NewFakes().Config()
		spoil(&cfg)
		_, err := set.NewManager(cfg)
		assert.ErrorIs(t, err, set.ErrInvalid, name)
	}
}

func TestOnlySoManyServersAreBroughtUpAtOnce(t *testing.T) {
	f := settest.NewFakes()
	cfg := f.Config()
	cfg.UpLimit = 2
	release := f.Block("Engine.Prepare")
	defer release()
	m, err := set.NewManager(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	for i := range 6 {
		_, err := m.Apply(context.Background(), settest.Assignment(fmt.Sprint("s", i)))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return f.Calls("Engine.Prepare") == 2 }, settest.Patience, time.Millisecond)
	assert.Never(t, func() bool { return f.Calls("Engine.Prepare") > 2 }, 30*time.Millisecond, 5*time.Millisecond)
	release()
	for i := range 6 {
		settest.AwaitState(t, m, fmt.Sprint("s", i), 1, set.StateRunning)
	}
}
