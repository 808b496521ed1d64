package sim_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/examples/fleet-sim/sim"
	"github.com/moset/moset/pkg/sched"
)

func cores(n int64) sched.Vector { return sched.Vector{sched.CPU: n * 1000} }

func request(id string, at, lifetime float64, need sched.Vector, n int) sim.Request {
	return sim.Request{At: at, Lifetime: lifetime, Batch: sched.Batch{N: n, Set: sched.Set{ID: id, Need: need}}}
}

func TestSetsArriveAndLeaveAtTheirTime(t *testing.T) {
	trial := sim.Trial{Planner: sched.New(sched.Config{}), Hosts: []sched.Host{{ID: "a", Capacity: cores(4)}}, Requests: []sim.Request{
		request("stays", 0, 0, cores(1), 1),
		request("leaves", 0, 10, cores(3), 1),
		request("too-early", 9, 0, cores(2), 1),
		request("in-time", 10, 5, cores(1), 3),
		request("later", 20, 0, cores(3), 1),
	}}
	out, err := sim.Replay(t.Context(), trial)
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 3, 4}, out.Placed)
	assert.Len(t, out.Plans, 5)
	assert.InDelta(t, (1+3+2+3+3)/4., out.Asked, 1e-9)
	assert.InDelta(t, (1+3+3+3)/4., out.Given, 1e-9)
}

func TestThePeakIsWhereMostIsInUse(t *testing.T) {
	trial := sim.Trial{Planner: sched.New(sched.Config{}), Hosts: []sched.Host{{ID: "a", Capacity: cores(4)}, {ID: "b", Capacity: cores(4)}}, Requests: []sim.Request{
		request("one", 0, 10, cores(3), 2),
		request("two", 20, 0, cores(1), 1),
	}}
	r, err := sim.Run(t.Context(), trial)
	require.NoError(t, err)
	assert.Equal(t, 2, r.Used)
	assert.Equal(t, 2, r.Bound)
	require.Len(t, r.Resources, 1)
	assert.Equal(t, "cpu", r.Resources[0].Name)
	assert.InDelta(t, .75, r.Resources[0].InUse, 1e-9)
	// One core is free on each host: of use to "two", of none to "one".
	assert.InDelta(t, .5, r.Resources[0].Fragmented, 1e-9)
}

func TestABatchIsPlacedWholeOrNotAtAll(t *testing.T) {
	for _, name := range sim.Policies() {
		p, err := sim.Policy(name, 1)
		require.NoError(t, err)
		out, err := sim.Replay(t.Context(), sim.Trial{Planner: p, Hosts: []sched.Host{{ID: "a", Capacity: cores(4)}},
			Requests: []sim.Request{request("five", 0, 0, cores(1), 5), request("four", 1, 0, cores(1), 4)}})
		require.NoError(t, err, name)
		assert.Equal(t, []int{1}, out.Placed, name)
	}
}

func TestRulesHoldUnderEveryPolicy(t *testing.T) {
	hosts := []sched.Host{{ID: "a", Rack: "r1", Capacity: cores(8), Labels: map[string]string{"card": "x"}}, {ID: "b", Rack: "r1", Capacity: cores(8)}, {ID: "c", Rack: "r2", Capacity: cores(8), Labels: map[string]string{"card": "x"}}}
	picky := request("picky", 0, 0, cores(1), 2)
	picky.Set.Group = "g"
	picky.Set.Require = []sched.Selector{{Key: "card", Values: []string{"x"}}}
	picky.Set.AntiAffinity = []sched.AntiAffinity{{By: "rack"}}
	for _, name := range sim.Policies() {
		p, err := sim.Policy(name, 3)
		require.NoError(t, err)
		out, err := sim.Replay(t.Context(), sim.Trial{Planner: p, Hosts: hosts, Requests: []sim.Request{picky}})
		require.NoError(t, err, name)
		require.Len(t, out.Placed, 1, name)
		for _, h := range out.Peak {
			assert.Equal(t, h.ID != "b", h.Used == cores(1), "%s on %s", name, h.ID)
		}
	}
}

func TestTheLowerBoundIsThatOfTheShortestResource(t *testing.T) {
	hosts := []sched.Host{{ID: "a", Capacity: sched.Vector{sched.CPU: 8, sched.Memory: 1}}, {ID: "b", Capacity: sched.Vector{sched.CPU: 2, sched.Memory: 4}}, {ID: "c", Capacity: sched.Vector{sched.CPU: 2, sched.Memory: 4}}}
	assert.Equal(t, 0, sim.Bound(hosts, sched.Vector{}))
	assert.Equal(t, 1, sim.Bound(hosts, sched.Vector{sched.CPU: 8, sched.Memory: 4}))
	assert.Equal(t, 2, sim.Bound(hosts, sched.Vector{sched.CPU: 8, sched.Memory: 5}))
	assert.Equal(t, 3, sim.Bound(hosts, sched.Vector{sched.CPU: 11}))
}

// broken fails in a way that is not a lack of room.
type broken struct{ err error }

func (b broken) Plan(context.Context, sched.Snapshot, sched.Batch) (sched.Plan, error) {
	return sched.Plan{Claims: []sched.Claim{{SetID: "s", HostID: "elsewhere"}}}, b.err
}

func TestAPolicyThatMisbehavesEndsTheReplay(t *testing.T) {
	trial := sim.Trial{Hosts: []sched.Host{{ID: "a"}}, Requests: []sim.Request{request("s", 0, 0, cores(1), 1)}}
	boom := errors.New("boom")
	trial.Planner = broken{boom}
	_, err := sim.Run(t.Context(), trial)
	require.ErrorIs(t, err, boom)
	trial.Planner = broken{}
	_, err = sim.Run(t.Context(), trial)
	require.ErrorIs(t, err, sched.ErrConflict)
	trial.Hosts = []sched.Host{{ID: ""}}
	_, err = sim.Run(t.Context(), trial)
	require.ErrorIs(t, err, sched.ErrInvalid)
	_, err = sim.Policy("best", 1)
	require.ErrorContains(t, err, "choose one of thrift, pack")
}
