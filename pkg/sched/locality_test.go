package sched_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

func TestHostsThatHaveTheImageAreBetter(t *testing.T) {
	room := sched.Vector{sched.CPU: 8000, sched.Memory: 8 << 30}
	hosts := []sched.Host{
		{ID: "a", Capacity: room},
		{ID: "b", Capacity: room, Layers: map[string]bool{"base": true, "app": true}},
		{ID: "c", Capacity: room, Layers: map[string]bool{"base": true}},
	}
	set := sched.Set{ID: "web", Need: sched.Vector{sched.CPU: 100}, Layers: []sched.Layer{{ID: "base", Size: 90}, {ID: "app", Size: 10}}}
	assert.Equal(t, []int64{100, 0, 10}, []int64{sched.MissingBytes(&set, &hosts[0]), sched.MissingBytes(&set, &hosts[1]), sched.MissingBytes(&set, &hosts[2])})
	plan, err := sched.New(sched.Config{}).Plan(t.Context(), sched.SnapshotOf(hosts...), sched.Batch{Set: set})
	require.NoError(t, err)
	assert.Equal(t, "b", plan.Claims[0].HostID)
	q, views, err := sched.Views(set, hosts...)
	require.NoError(t, err)
	assert.InDelta(t, 0.9, sched.LocalityScorer{}.Score(q, views[2]), 1e-9)
	set.Layers = nil
	q, views, err = sched.Views(set, hosts...)
	require.NoError(t, err)
	assert.InDelta(t, 1, sched.LocalityScorer{}.Score(q, views[0]), 0)
}
