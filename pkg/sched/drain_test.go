package sched_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

func TestADrainedHostsSetsGoWhereTheyFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		snap := w.ledger.Snapshot()
		if snap.Len() == 0 {
			return
		}
		from := rapid.SampledFrom(snap.List()).Draw(t, "host").ID
		sets, before := w.on(from), fmt.Sprintf("%#v", snap.List())
		s := sched.New(sched.Config{Seed: schedtest.Seeds().Draw(t, "seed")})
		e, err := s.Drain(context.Background(), snap, from, sets)
		require.NoError(t, err)
		again, err := s.Drain(context.Background(), snap, from, sets)
		require.NoError(t, err)
		require.Equal(t, e, again)
		require.Equal(t, before, fmt.Sprintf("%#v", snap.List()), "the fleet is as it was")
		require.Equal(t, len(sets), len(e.Moves)+len(e.Stuck), "each set moves or is stuck")
		_ = w.ledger.SetState(from, sched.Cordoned)
		for _, c := range e.Moves {
			require.NotEqual(t, from, c.HostID)
			require.Equal(t, w.sets[c.SetID].Need, c.Take)
			w.ledger.Release(c.SetID)
			_, err := w.ledger.Commit(context.Background(), sched.Plan{Claims: []sched.Claim{c}}, sched.Mode{})
			require.NoError(t, err, "the ledger takes the move")
		}
		for _, stuck := range e.Stuck {
			claims := w.ledger.Claims()
			w.ledger.Release(stuck.SetID)
			_, err := s.Plan(context.Background(), w.ledger.Snapshot(), sched.Batch{Set: w.sets[stuck.SetID]})
			require.ErrorIs(t, err, sched.ErrNoFit, "%s has somewhere to go", stuck.SetID)
			for _, c := range claims {
				if c.SetID == stuck.SetID {
					_, err = w.ledger.Commit(context.Background(), sched.Plan{Claims: []sched.Claim{c}}, sched.Mode{Force: true})
					require.NoError(t, err)
				}
			}
		}
	})
}

func TestUrgentSetsLeaveADrainedHostFirst(t *testing.T) {
	small := host("b", "", 4)
	set := func(id string, cores int64, priority int32) sched.Set {
		return sched.Set{ID: id, Need: sched.Vector{sched.CPU: cores}, Priority: priority}
	}
	e, err := sched.New(sched.Config{}).Drain(context.Background(), sched.SnapshotOf(busy("a", 9), small), "a",
		[]sched.Set{set("large", 4, 0), set("urgent", 2, 1), set("little", 1, 0), set("mite", 1, 0)})
	require.NoError(t, err)
	var moved []string
	for _, c := range e.Moves {
		moved = append(moved, c.SetID+" to "+c.HostID)
	}
	assert.Equal(t, []string{"urgent to b", "little to b", "mite to b"}, moved)
	require.Len(t, e.Stuck, 1)
	assert.Equal(t, "large", e.Stuck[0].SetID)
	assert.Equal(t, "0 of 2 hosts fit: 1 is cordoned, 1 lacks cpu (0.004 cores needed, at most 0 cores free)", e.Stuck[0].Why.String())
}

func TestLargeSetsLeaveADrainedHostFirst(t *testing.T) {
	e, err := sched.New(sched.Config{}).Drain(context.Background(), sched.SnapshotOf(busy("a", 9), host("b", "", 5)), "a",
		[]sched.Set{{ID: "a-small", Need: sched.Vector{sched.CPU: 2}}, {ID: "large", Need: sched.Vector{sched.CPU: 4}}})
	require.NoError(t, err)
	require.Len(t, e.Moves, 1)
	assert.Equal(t, "large", e.Moves[0].SetID)
	assert.Equal(t, "a-small", e.Stuck[0].SetID)
}

func TestASetThatIsStuckStaysInItsGroup(t *testing.T) {
	// The large web set cannot leave, so its rack stays closed to what keeps
	// away from the web.
	a, b := busy("a", 9), host("b", "", 5)
	a.Rack, b.Rack, a.Groups = "r", "r", map[string]int{"web": 1}
	e, err := sched.New(sched.Config{}).Drain(context.Background(), sched.SnapshotOf(a, b), "a", []sched.Set{
		{ID: "web", Group: "web", Need: sched.Vector{sched.CPU: 6}},
		{ID: "shy", Need: sched.Vector{sched.CPU: 1}, AntiAffinity: []sched.AntiAffinity{{Group: "web", By: "rack"}}},
	})
	require.NoError(t, err)
	assert.Empty(t, e.Moves)
	require.Len(t, e.Stuck, 2)
	assert.Equal(t, "shy", e.Stuck[0].SetID)
}

func TestASetFollowsTheGroupItHasToBeNear(t *testing.T) {
	a := busy("a", 9)
	a.Groups = map[string]int{"db": 1}
	e, err := sched.New(sched.Config{}).Drain(context.Background(), sched.SnapshotOf(a, host("b", "", 9), host("c", "", 9)), "a", []sched.Set{
		{ID: "web", Priority: 1, Need: sched.Vector{sched.CPU: 4}, Affinity: []sched.Affinity{{Group: "db", Hard: true}}},
		{ID: "db", Group: "db", Need: sched.Vector{sched.CPU: 2}},
	})
	require.NoError(t, err)
	require.Len(t, e.Moves, 2)
	assert.Equal(t, "db", e.Moves[0].SetID)
	assert.Equal(t, e.Moves[0].HostID, e.Moves[1].HostID)
	assert.Empty(t, e.Stuck)
}

func TestADrainRefusesWhatCannotBe(t *testing.T) {
	s, snap := sched.New(sched.Config{}), sched.SnapshotOf(busy("a", 8), host("b", "", 8))
	_, err := s.Drain(context.Background(), snap, "z", nil)
	assert.ErrorIs(t, err, sched.ErrNotFound)
	assert.EqualError(t, err, "drain host z: the snapshot has no such host: not found")
	nine := sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 9}}
	_, err = s.Drain(context.Background(), snap, "a", []sched.Set{nine})
	assert.ErrorIs(t, err, sched.ErrInvalid)
	one := sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}}
	_, err = s.Drain(context.Background(), snap, "a", []sched.Set{one, one})
	assert.EqualError(t, err, "drain host a: set s is named twice: invalid")
}

func TestADrainTakesNoCordonedHostEvenWithoutTheStateFilter(t *testing.T) {
	s := sched.New(sched.Config{Filters: []sched.Filter{sched.ResourceFilter{}}})
	e, err := s.Drain(context.Background(), sched.SnapshotOf(busy("a", 8), host("b", "", 8)), "a",
		[]sched.Set{{ID: "s", Need: sched.Vector{sched.CPU: 1}}})
	require.NoError(t, err)
	require.Len(t, e.Moves, 1)
	assert.Equal(t, "b", e.Moves[0].HostID)
}
