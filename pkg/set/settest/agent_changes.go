package settest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

func agentStopStart(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	up(t, f, a)
	volumes := f.Host.Engine.Volumes("s1")
	require.NotEmpty(t, volumes)

	a = Next(a, func(a *set.Assignment) { a.Desired = set.DesiredStopped })
	_, err := f.Agent.Apply(t.Context(), a)
	require.NoError(t, err)
	o := AwaitState(t, f.Agent, "s1", 2, set.StateStopped)
	for _, c := range o.Containers {
		if c.Role != set.RoleInfra {
			assert.Equal(t, set.ContainerExited, c.State, c.Name)
		}
	}
	_, attached := f.Host.Network.Port("s1")
	assert.False(t, attached)

	a = Next(a, func(a *set.Assignment) { a.Desired = set.DesiredRunning })
	up(t, f, a)
	assert.Equal(t, volumes, f.Host.Engine.Volumes("s1"))
	port, attached := f.Host.Network.Port("s1")
	require.True(t, attached)
	found, _ := f.Host.Engine.Found("s1")
	assert.Equal(t, found.Sandbox, port.Sandbox, "the port follows the new sandbox")
}

func agentSuspends(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	up(t, f, a)
	a = Next(a, func(a *set.Assignment) { a.Desired = set.DesiredSuspended })
	_, err := f.Agent.Apply(t.Context(), a)
	require.NoError(t, err)
	o := AwaitState(t, f.Agent, "s1", 2, set.StateSuspended)
	assert.Equal(t, set.ContainerPaused, o.Containers[1].State)
	assert.Equal(t, set.ContainerPaused, o.Containers[2].State)

	a = Next(a, func(a *set.Assignment) { a.Desired = set.DesiredRunning })
	o = up(t, f, a)
	assert.Equal(t, set.ContainerRunning, o.Containers[2].State)
	assert.Equal(t, 1, f.Host.Calls("Engine.Prepare"), "thawing makes nothing anew")

	before := containerIDs(o)
	for range 2 { // from running, then from suspended
		a = Next(a, func(a *set.Assignment) {
			a.Desired = set.DesiredSuspended
			a.Spec.Containers[1].Args = append(slices.Clone(a.Spec.Containers[1].Args), "-v")
		})
		_, err = f.Agent.Apply(t.Context(), a)
		require.NoError(t, err)
		o = AwaitState(t, f.Agent, "s1", a.Generation, set.StateSuspended)
		assert.NotEqual(t, before, containerIDs(o), "a changed spec is made before it is suspended")
		before = containerIDs(o)
	}
}

func agentNewSpec(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	before := up(t, f, a)
	volumes := f.Host.Engine.Volumes("s1")
	after := up(t, f, Next(a, func(a *set.Assignment) { a.Spec.Containers[1].Args = []string{"-v"} }))
	assert.NotEqual(t, containerIDs(before), containerIDs(after))
	assert.Equal(t, volumes, f.Host.Engine.Volumes("s1"))
}

func agentMadeStopped(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	a.Desired = set.DesiredStopped
	_, err := f.Agent.Apply(t.Context(), a)
	require.NoError(t, err)
	AwaitState(t, f.Agent, "s1", 1, set.StateStopped)
	assert.Equal(t, 2, f.Host.Calls("Images.Ensure"), "its images are here, so that a start is quick")
	up(t, f, Next(a, func(a *set.Assignment) { a.Desired = set.DesiredRunning }))
	assert.Equal(t, 2, f.Host.Calls("Images.Ensure"))
}

func agentRemoves(t *testing.T, f AgentFixture) {
	up(t, f, Assignment("s1"))
	o, err := f.Agent.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 1})
	require.NoError(t, err)
	assert.Contains(t, []set.State{set.StateDeleting, set.StateDeleted}, o.State)
	AwaitState(t, f.Agent, "s1", 0, set.StateDeleted)
	assert.Empty(t, f.Host.Left("s1"))
}

func agentRemovesTwice(t *testing.T, f AgentFixture) {
	up(t, f, Assignment("s1"))
	release := f.Host.Block("Engine.Remove")
	defer release()
	for range 2 {
		o, err := f.Agent.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 1})
		require.NoError(t, err)
		assert.Equal(t, set.StateDeleting, o.State)
	}
	_, err := f.Agent.Apply(t.Context(), Next(Assignment("s1"), nil))
	require.ErrorIs(t, err, set.ErrConflict, "it is being deleted")
	release()
	AwaitState(t, f.Agent, "s1", 0, set.StateDeleted)
	o, err := f.Agent.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 1})
	require.NoError(t, err)
	assert.Equal(t, set.StateDeleted, o.State)
	assert.Equal(t, 1, f.Host.Calls("Engine.Remove"))
}

func agentRemovalOwner(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	up(t, f, a)
	gone(t, f, "s1", 1)
	o, err := f.Agent.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 3})
	require.NoError(t, err)
	assert.Equal(t, set.StateDeleted, o.State)
	assert.Equal(t, uint64(3), o.Epoch)
	a.Epoch = 2
	_, err = f.Agent.Apply(t.Context(), a)
	require.ErrorIs(t, err, set.ErrStaleEpoch)
	_, err = f.Agent.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 2})
	require.ErrorIs(t, err, set.ErrStaleEpoch)
	assert.Empty(t, f.Host.Left("s1"))
	a.Epoch = 4
	up(t, f, a)
}

func agentLongNames(t *testing.T, f AgentFixture) {
	a := Assignment(strings.Repeat("i", 64))
	a.Name = strings.Repeat("n", 63)
	name, volume := strings.Repeat("c", 40), strings.Repeat("v", 40)
	a.Spec.Volumes = []set.Volume{{Name: volume}}
	a.Spec.Containers = []set.Container{{Name: name, Image: "project/app:1", Mounts: []set.Mount{{Volume: volume, Path: "/" + strings.Repeat("p", 4000)}}}}
	a.Images = map[string]set.Image{name: a.Images["app"]}
	o := up(t, f, a)
	assert.Equal(t, name, o.Containers[1].Name)
	gone(t, f, a.ServerID, 1)
}

func agentRemovesUnknown(t *testing.T, f AgentFixture) {
	o, err := f.Agent.Remove(t.Context(), set.Removal{ServerID: "nobody", Epoch: 3})
	require.NoError(t, err)
	assert.Equal(t, "nobody", o.ServerID)
	assert.Equal(t, set.StateDeleted, o.State)
}

func agentComesBack(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	up(t, f, a)
	gone(t, f, "s1", 1)
	_, err := f.Agent.Apply(t.Context(), Next(a, nil))
	require.ErrorIs(t, err, set.ErrConflict, "in the epoch of its removal it stays removed")
	a.Epoch = 2
	_, err = f.Agent.Apply(t.Context(), a)
	require.NoError(t, err)
	Await(t, f.Agent, "s1", "running again", func(o set.Observation) bool { return o.State == set.StateRunning && o.Epoch == 2 })
}

func agentMany(t *testing.T, f AgentFixture) {
	const servers = 40
	var work sync.WaitGroup
	for i := range servers {
		work.Go(func() {
			_, err := f.Agent.Apply(t.Context(), Assignment(fmt.Sprint("s", i)))
			assert.NoError(t, err)
		})
	}
	work.Wait()
	for i := range servers {
		AwaitState(t, f.Agent, fmt.Sprint("s", i), 1, set.StateRunning)
	}
	for i := range servers {
		work.Go(func() {
			_, err := f.Agent.Remove(t.Context(), set.Removal{ServerID: fmt.Sprint("s", i), Epoch: 1})
			assert.NoError(t, err)
		})
	}
	work.Wait()
	for i := range servers {
		AwaitState(t, f.Agent, fmt.Sprint("s", i), 0, set.StateDeleted)
		assert.Empty(t, f.Host.Left(fmt.Sprint("s", i)))
	}
}

func agentTransient(t *testing.T, f AgentFixture) {
	f.Host.FailNext("Engine.Start", 1, fmt.Errorf("%w: the engine restarts", set.ErrUnavailable))
	f.Host.FailNext("Images.Ensure", 1, fmt.Errorf("%w: the registry restarts", set.ErrUnavailable))
	f.Host.FailNext("Network.Attach", 1, fmt.Errorf("%w: the switch restarts", set.ErrUnavailable))
	o := up(t, f, Assignment("s1"))
	assert.Nil(t, o.Fault)
}

func agentSteps(t *testing.T, f AgentFixture) {
	o := up(t, f, Assignment("s1"))
	var names []string
	for _, s := range o.Steps {
		names = append(names, s.Name)
		assert.Equal(t, set.StepDone, s.State, s.Name)
		assert.False(t, s.EndedAt.Before(s.StartedAt), s.Name)
		if s.Name == "pull app" {
			assert.Equal(t, int64(2000), s.Total)
			assert.Equal(t, int64(2000), s.Done)
		}
	}
	assert.Equal(t, []string{"pull proxy", "pull app", "containers", "network", "start"}, names)
}
