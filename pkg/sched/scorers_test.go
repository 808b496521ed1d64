package sched_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

func TestScorersScoreEachHost(t *testing.T) {
	room := sched.Vector{sched.CPU: 10, sched.Memory: 10}
	hosts := []sched.Host{
		{ID: "empty", Rack: "r1", Zone: "z1", Capacity: room},
		{ID: "half", Rack: "r1", Zone: "z2", Capacity: room, Used: sched.Vector{sched.CPU: 4, sched.Memory: 4}},
		{ID: "gpu", Rack: "r2", Capacity: sched.Vector{sched.CPU: 10, sched.Memory: 10, sched.Custom0: 8},
			Used: sched.Vector{sched.Custom0: 4}, Groups: map[string]int{"web": 3}},
		{ID: "down", State: sched.Down},
	}
	set := sched.Set{
		ID: "s", Group: "web", Need: sched.Vector{sched.CPU: 1, sched.Memory: 1},
		Prefer: []sched.Preference{
			{Selector: sched.Selector{Key: "zone", Values: []string{"z1"}}, Weight: 3},
			{Selector: sched.Selector{Key: "rack", Values: []string{"r1"}}},
		},
		Spread: []sched.Spread{{By: "rack"}, {By: "host"}},
	}
	q, views, err := sched.Views(set, hosts...)
	require.NoError(t, err)
	for _, c := range []struct {
		scorer sched.Scorer
		want   [3]float64
	}{
		{sched.PackScorer{}, [3]float64{0.1, 0.5, 0.1}},
		{sched.EvenScorer{}, [3]float64{0.9, 0.5, 0.9}},
		{sched.PreferScorer{}, [3]float64{1, 0.25, 0}},
		{sched.SpreadScorer{}, [3]float64{1, 1, 0.25}},
		// A third of the ready hosts has Custom0 and half of it is free: 1 - 1/2 * 2/3.
		{sched.ScarcityScorer{}, [3]float64{1, 1, 2.0 / 3}},
		{sched.Weighted{Scorer: sched.PreferScorer{}, Weight: -2}, [3]float64{-2, -0.5, 0}},
	} {
		for i, want := range c.want {
			assert.InDelta(t, want, c.scorer.Score(q, views[i]), 1e-9, "%s on %s", c.scorer.Name(), views[i].ID())
		}
	}
}

func TestScarcityIsNoMatterForASetThatNeedsTheResource(t *testing.T) {
	set := sched.Set{ID: "s", Need: sched.Vector{sched.Custom0: 1}}
	q, views, err := sched.Views(set,
		sched.Host{ID: "gpu", Capacity: sched.Vector{sched.Custom0: 8}}, sched.Host{ID: "plain"})
	require.NoError(t, err)
	assert.InDelta(t, 1, sched.ScarcityScorer{}.Score(q, views[0]), 1e-9)
	assert.InDelta(t, 0.5, q.Share(sched.Custom0), 1e-9)
}
