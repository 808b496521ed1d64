package settest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// AgentFixture is an Agent under test and the host below it.
type AgentFixture struct {
	Agent set.Agent
	Host  *Fakes
}

// TestAgent runs the contract of set.Agent. Every part gets a new Agent on an empty host.
func TestAgent(t *testing.T, newAgent func(t *testing.T) AgentFixture) {
	for name, part := range map[string]func(*testing.T, AgentFixture){
		"a server is brought up":                             agentBringsUp,
		"the same assignment again changes nothing":          agentRepeats,
		"an older epoch is refused":                          agentStaleEpoch,
		"a newer epoch is taken over":                        agentNewerEpoch,
		"an older generation is refused":                     agentOlderGeneration,
		"a generation with other content is refused":         agentOtherContent,
		"an invalid assignment is refused":                   agentInvalid,
		"an assignment that cannot be kept is refused":       agentNotDurable,
		"a server stops and starts with its volumes":         agentStopStart,
		"a server is suspended and resumed":                  agentSuspends,
		"a changed spec replaces containers":                 agentNewSpec,
		"a server is made stopped":                           agentMadeStopped,
		"a removed server leaves nothing":                    agentRemoves,
		"removing twice is removing once":                    agentRemovesTwice,
		"removing what is not here is done at once":          agentRemovesUnknown,
		"a removal by a newer owner makes older ones stale":  agentRemovalOwner,
		"names may be as long as they may be":                agentLongNames,
		"a removed server can come back with a newer epoch":  agentComesBack,
		"an image that does not exist fails the server":      agentMissingImage,
		"observe leaves out what is not here":                agentObserves,
		"watch tells what is here, then what changes":        agentWatch,
		"watch ends with its context":                        agentWatchEnds,
		"watch ends when its consumer stops":                 agentWatchStops,
		"many servers at once do not disturb one another":    agentMany,
		"an engine that is away for a moment is waited for":  agentTransient,
		"steps tell what is being done":                      agentSteps,
		"the pull token reaches the registry and no journal": agentToken,
	} {
		t.Run(name, func(t *testing.T) { part(t, newAgent(t)) })
	}
}

// up applies an Assignment and waits until it runs.
func up(t *testing.T, f AgentFixture, a set.Assignment) set.Observation {
	t.Helper()
	_, err := f.Agent.Apply(t.Context(), a)
	require.NoError(t, err)
	return AwaitState(t, f.Agent, a.ServerID, a.Generation, set.StateRunning)
}

// gone removes a server and waits until it is deleted.
func gone(t *testing.T, f AgentFixture, id string, epoch uint64) {
	t.Helper()
	_, err := f.Agent.Remove(t.Context(), set.Removal{ServerID: id, Epoch: epoch})
	require.NoError(t, err)
	AwaitState(t, f.Agent, id, 0, set.StateDeleted)
	assert.Empty(t, f.Host.Left(id))
}

func agentBringsUp(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	first, err := f.Agent.Apply(t.Context(), a)
	require.NoError(t, err)
	assert.Equal(t, "s1", first.ServerID)
	assert.Equal(t, set.StatePreparing, first.State)
	assert.Equal(t, uint64(1), first.Generation)
	assert.Equal(t, uint64(1), first.Epoch)

	o := AwaitState(t, f.Agent, "s1", 1, set.StateRunning)
	require.Len(t, o.Containers, 3)
	for i, want := range []struct {
		name string
		role set.Role
	}{{"infra", set.RoleInfra}, {"proxy", set.RoleSidecar}, {"app", set.RoleApp}} {
		assert.Equal(t, want.name, o.Containers[i].Name)
		assert.Equal(t, want.role, o.Containers[i].Role)
		assert.Equal(t, set.ContainerRunning, o.Containers[i].State)
	}
	assert.Nil(t, o.Fault)
	assert.False(t, o.At.IsZero())
	port, ok := f.Host.Network.Port("s1")
	require.True(t, ok)
	assert.Equal(t, a.Addresses, port.Addresses)
	found, _ := f.Host.Engine.Found("s1")
	assert.Equal(t, found.Sandbox, port.Sandbox)
}

func agentRepeats(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	before := up(t, f, a)
	prepared := f.Host.Calls("Engine.Prepare")
	o, err := f.Agent.Apply(t.Context(), a)
	require.NoError(t, err)
	assert.Equal(t, set.StateRunning, o.State)
	assert.Equal(t, before.Containers, o.Containers)
	assert.Equal(t, prepared, f.Host.Calls("Engine.Prepare"))
}

func agentStaleEpoch(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	a.Epoch = 5
	up(t, f, a)
	a.Epoch, a.Generation = 4, 9
	_, err := f.Agent.Apply(t.Context(), a)
	require.ErrorIs(t, err, set.ErrStaleEpoch)
	_, err = f.Agent.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 4})
	require.ErrorIs(t, err, set.ErrStaleEpoch)
	AwaitState(t, f.Agent, "s1", 1, set.StateRunning)
}

func agentNewerEpoch(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	ids := containerIDs(up(t, f, a))
	a.Epoch = 2
	_, err := f.Agent.Apply(t.Context(), a)
	require.NoError(t, err)
	o := Await(t, f.Agent, "s1", "running in epoch 2", func(o set.Observation) bool { return o.State == set.StateRunning && o.Epoch == 2 })
	assert.Equal(t, ids, containerIDs(o), "the content is the same: nothing is made anew")
}

func containerIDs(o set.Observation) []string {
	var ids []string
	for _, c := range o.Containers {
		ids = append(ids, c.ID)
	}
	return ids
}

func agentOlderGeneration(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	up(t, f, Next(a, nil))
	_, err := f.Agent.Apply(t.Context(), a)
	require.ErrorIs(t, err, set.ErrConflict)
}

func agentOtherContent(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	up(t, f, a)
	other := Next(a, func(a *set.Assignment) { a.Generation--; a.Spec.Containers[0].Args = []string{"-v"} })
	_, err := f.Agent.Apply(t.Context(), other)
	require.ErrorIs(t, err, set.ErrConflict)
	a.Desired = set.DesiredStopped
	_, err = f.Agent.Apply(t.Context(), a)
	require.ErrorIs(t, err, set.ErrConflict)
}

func agentInvalid(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	a.Spec.Containers[0].Name = "Not A Name"
	_, err := f.Agent.Apply(t.Context(), a)
	require.ErrorIs(t, err, set.ErrInvalid)
	assert.ErrorContains(t, err, "containers[0].name")
	b := Assignment("s1")
	b.Desired = set.DesiredAbsent
	_, err = f.Agent.Apply(t.Context(), b)
	require.ErrorIs(t, err, set.ErrInvalid)
	assert.Empty(t, f.Host.Left("s1"))
}

func agentNotDurable(t *testing.T, f AgentFixture) {
	f.Host.FailNext("Journal.Save", 1, set.ErrUnavailable)
	_, err := f.Agent.Apply(t.Context(), Assignment("s1"))
	require.ErrorIs(t, err, set.ErrUnavailable)
	list, err := f.Agent.Observe(t.Context(), "s1")
	require.NoError(t, err)
	assert.Empty(t, list)
	assert.Empty(t, f.Host.Left("s1"))
	up(t, f, Assignment("s1"))
	f.Host.FailNext("Journal.Save", 1, set.ErrUnavailable)
	_, err = f.Agent.Remove(t.Context(), set.Removal{ServerID: "s1", Epoch: 1})
	require.ErrorIs(t, err, set.ErrUnavailable)
	AwaitState(t, f.Agent, "s1", 1, set.StateRunning)
}

func agentObserves(t *testing.T, f AgentFixture) {
	none, err := f.Agent.Observe(t.Context())
	require.NoError(t, err)
	assert.Empty(t, none)
	up(t, f, Assignment("s1"))
	up(t, f, Assignment("s2"))
	list, err := f.Agent.Observe(t.Context(), "s2", "nobody")
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "s2", list[0].ServerID)
	all, err := f.Agent.Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, all, 2)
}

func agentMissingImage(t *testing.T, f AgentFixture) {
	f.Host.Images.Missing(Digest("b"))
	_, err := f.Agent.Apply(t.Context(), Assignment("s1"))
	require.NoError(t, err)
	o := AwaitState(t, f.Agent, "s1", 1, set.StateFailed)
	require.NotNil(t, o.Fault)
	assert.Equal(t, "not_found", o.Fault.Code)
	assert.Contains(t, o.Fault.Message, "project/app:1")
	assert.Equal(t, []string{"journal"}, f.Host.Left("s1"), "a failed server holds nothing but its record")
	gone(t, f, "s1", 1)
}

func agentToken(t *testing.T, f AgentFixture) {
	a := Assignment("s1")
	a.PullToken = "hunter2"
	up(t, f, a)
	for _, r := range f.Host.Images.Requests() {
		assert.Equal(t, "hunter2", r.Token.Reveal())
		assert.Equal(t, "project-1", r.ProjectID)
	}
	r, ok := f.Host.Journal.Record("s1")
	require.True(t, ok)
	assert.Empty(t, r.Assignment.PullToken.Reveal())
}
