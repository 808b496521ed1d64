package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

func TestARacePlacesEverySetOnceAndOvercommitsNothing(t *testing.T) {
	for _, scorer := range []sched.Scorer{sched.PackScorer{}, sched.EvenScorer{}, sched.ThriftScorer{}} {
		r := race{hosts: 100, batches: 40, copies: 20, scorer: scorer} // what all hosts can carry, to the last set
		require.NoError(t, r.run(t.Context()))
		assert.Equal(t, 1600, r.placed, scorer.Name())
		assert.Zero(t, r.over, scorer.Name())
	}
}

func TestAClaimThatAnotherWasQuickerWithIsPlannedAgain(t *testing.T) {
	ledger := sched.NewLedger(sched.LedgerConfig{})
	need := sched.Vector{sched.CPU: 1}
	require.NoError(t, ledger.Put(sched.Host{ID: "a", Capacity: sched.Vector{sched.CPU: 3}}))
	require.NoError(t, ledger.Put(sched.Host{ID: "b", Capacity: sched.Vector{sched.CPU: 3}}))
	r := race{}
	s := sched.New(sched.Config{Scorers: []sched.Scorer{&thief{ledger: ledger}}})
	left, err := r.attempt(t.Context(), ledger, s, sched.Batch{Set: sched.Set{ID: "mine", Need: need}, N: 4})
	require.NoError(t, err)
	assert.Equal(t, []string{"mine-2"}, left, "the third on host a, which has one set of the thief")
	assert.Equal(t, 3, r.placed)
	assert.Equal(t, 1, r.conflicts)

	left, err = r.attempt(t.Context(), ledger, s, sched.Batch{Set: sched.Set{ID: "mine", Need: need}, IDs: left})
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Equal(t, 4, r.placed)
}

// thief takes a place on host a while somebody else plans; host a comes first for everybody.
type thief struct{ ledger *sched.Ledger }

func (*thief) Name() string { return "thief" }

func (th *thief) Score(_ *sched.Request, h sched.HostView) float64 {
	theirs := sched.Claim{SetID: "theirs", HostID: "a", Take: sched.Vector{sched.CPU: 1}}
	if _, err := th.ledger.Commit(context.Background(), sched.Plan{Claims: []sched.Claim{theirs}}, sched.Mode{}); err != nil {
		return 0
	}
	if h.ID() == "a" {
		return 1
	}
	return 0
}
