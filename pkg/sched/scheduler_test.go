package sched_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

const gib = 1 << 30

func host(id, rack string, cpu int64) sched.Host {
	return sched.Host{ID: id, Rack: rack, Capacity: sched.Vector{sched.CPU: cpu, sched.Memory: 8 * gib}}
}

func plan(t *testing.T, c sched.Config, b sched.Batch, hosts ...sched.Host) []string {
	t.Helper()
	p, err := sched.New(c).Plan(context.Background(), sched.SnapshotOf(hosts...), b)
	require.NoError(t, err)
	ids := make([]string, 0, len(p.Claims))
	for _, c := range p.Claims {
		ids = append(ids, c.HostID)
	}
	return ids
}

func TestPlanPacksUntilAHostIsFull(t *testing.T) {
	b := sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}}, N: 4}
	assert.Equal(t, []string{"a", "a", "b", "b"}, plan(t, sched.Config{}, b, host("b", "", 2), host("a", "", 2)))
}

func TestPlanSpreadsWhenTheSetAsksForIt(t *testing.T) {
	set := sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}, Spread: []sched.Spread{{By: "rack"}}}
	hosts := []sched.Host{host("a", "r1", 9), host("b", "r1", 9), host("c", "r2", 9)}
	assert.Equal(t, []string{"a", "c", "a", "c"}, plan(t, sched.Config{}, sched.Batch{Set: set, N: 4}, hosts...))
	set.Spread[0].Hard = true
	assert.Equal(t, []string{"a", "c", "a", "c"},
		plan(t, sched.Config{Scorers: []sched.Scorer{}}, sched.Batch{Set: set, N: 4}, hosts...))
}

func TestPlanKeepsCopiesApart(t *testing.T) {
	set := sched.Set{ID: "s", AntiAffinity: []sched.AntiAffinity{{By: "rack"}}}
	hosts := []sched.Host{host("a", "r1", 9), host("b", "r1", 9), host("c", "r2", 9)}
	assert.Equal(t, []string{"a", "c"}, plan(t, sched.Config{}, sched.Batch{Set: set, N: 3, Min: 1}, hosts...))
}

func TestPlanSavesAcceleratorsForThoseWhoNeedThem(t *testing.T) {
	gpu := host("a", "", 9)
	gpu.Capacity[sched.Custom0] = 1000
	plain := sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}}
	assert.Equal(t, []string{"b"}, plan(t, sched.Config{}, sched.Batch{Set: plain}, gpu, host("b", "", 9)))
}

func TestPlanTakesAddressesCopyByCopy(t *testing.T) {
	a, b := host("a", "", 9), host("b", "", 9)
	a.IPPools, b.IPPools = map[string]int64{"blue": 3}, map[string]int64{"blue": 1}
	set := sched.Set{ID: "s", Networks: []string{"blue"}}
	assert.Equal(t, []string{"a", "a", "a", "b"}, plan(t, sched.Config{}, sched.Batch{Set: set, N: 5, Min: 1}, a, b))
}

func TestSeedsBreakTiesDifferently(t *testing.T) {
	hosts := schedtest.Fleet(schedtest.FleetConfig{Hosts: 50}).List()
	b := sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}}}
	first := make(map[string]bool)
	for seed := range uint64(20) {
		first[plan(t, sched.Config{Seed: seed}, b, hosts...)[0]] = true
	}
	assert.Equal(t, []string{"host-00000"}, plan(t, sched.Config{}, b, hosts...), "seed 0 goes by id")
	assert.Greater(t, len(first), 10, "20 seeds chose only these hosts: %v", first)
}

func TestPlanSaysWhyNothingFits(t *testing.T) {
	cordoned := host("c", "", 9)
	cordoned.State = sched.Cordoned
	a, b := host("a", "", 9), host("b", "", 9)
	a.Used[sched.Memory], b.Used[sched.Memory] = 7*gib, 7*gib+gib/2
	b.Used[sched.CPU] = 9
	big := sched.Batch{Set: sched.Set{ID: "web", Need: sched.Vector{sched.Memory: 4 * gib}}}
	p, err := sched.New(sched.Config{}).Plan(context.Background(), sched.SnapshotOf(cordoned, b, a), big)
	require.ErrorIs(t, err, sched.ErrNoFit)
	assert.EqualError(t, err, "plan web: 0 of 3 hosts fit: 2 lack memory (4 GiB needed, at most 1 GiB free), 1 is cordoned")
	var no *sched.NoFitError
	require.True(t, errors.As(err, &no))
	assert.Equal(t, p.Why, no.Why)
	assert.Equal(t, []sched.Count{{Filter: "resources", Reason: "lacks memory", Hosts: 2}, {Filter: "state", Reason: "is cordoned", Hosts: 1}}, no.Why.ByFilter)
	assert.Equal(t, []sched.Shortage{{Resource: sched.Memory, Hosts: 2, Need: 4 * gib, MostFree: gib}}, no.Why.Exhausted)
	assert.Equal(t, []sched.Near{
		{HostID: "a", Missing: sched.Vector{sched.Memory: 3 * gib}},
		{HostID: "b", Missing: sched.Vector{sched.Memory: 3*gib + gib/2}},
	}, no.Why.Nearest)
}

func TestPlanOfTooFewCopiesSaysHowMany(t *testing.T) {
	b := sched.Batch{Set: sched.Set{ID: "web", Need: sched.Vector{sched.CPU: 2000}}, N: 3}
	s, snap := sched.New(sched.Config{}), sched.SnapshotOf(host("a", "", 5000))
	snap.Number = 4
	p, err := s.Plan(context.Background(), snap, b)
	assert.EqualError(t, err, "plan web: only 2 of 3 copies have a host (at least 3 wanted); for the next one "+
		"0 of 1 host fits: 1 lacks cpu (2 cores needed, at most 1 core free)")
	assert.Empty(t, p.Claims)
	assert.Equal(t, 3, p.Unplaced)

	b.Min = 2
	p, err = s.Plan(context.Background(), snap, b)
	require.NoError(t, err)
	assert.Len(t, p.Claims, 2)
	assert.Equal(t, 1, p.Unplaced)
	assert.Equal(t, 1, p.Why.ByFilter[0].Hosts)
}

func TestPlanWithoutHosts(t *testing.T) {
	_, err := sched.New(sched.Config{}).Plan(context.Background(), sched.Snapshot{}, sched.Batch{Set: sched.Set{ID: "s"}})
	assert.EqualError(t, err, "plan s: there are no hosts; add one and try again")
	assert.ErrorIs(t, err, sched.ErrNoFit)
}

func TestPlanShowsTheBestHostsAndTheirScores(t *testing.T) {
	hosts := schedtest.Fleet(schedtest.FleetConfig{Hosts: 9}).List()
	hosts[4].Used[sched.CPU] = 16_000
	p, err := sched.New(sched.Config{}).Plan(context.Background(), sched.SnapshotOf(hosts...),
		sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1000}}})
	require.NoError(t, err)
	require.Len(t, p.Why.TopScores, 3)
	best := p.Why.TopScores[0]
	assert.Equal(t, p.Claims[0].HostID, best.HostID)
	assert.Equal(t, "host-00000", p.Why.TopScores[1].HostID)
	sum := 0.0
	for _, part := range best.Parts {
		sum += part.Score
	}
	assert.InDelta(t, best.Score, sum, 1e-9)
	assert.Equal(t, "thrift", best.Parts[3].Scorer)
}

// plugin is a filter and scorer made of functions.
type plugin struct {
	filter func() sched.Reason
	score  func() float64
}

func (plugin) Name() string                                         { return "mine" }
func (p plugin) Filter(*sched.Request, sched.HostView) sched.Reason { return p.filter() }
func (p plugin) Score(*sched.Request, sched.HostView) float64       { return p.score() }

func TestAPluginThatMisbehavesIsNamed(t *testing.T) {
	b := sched.Batch{Set: sched.Set{ID: "s"}}
	for want, c := range map[string]sched.Config{
		"plan s: filter mine panicked: boom: plug-in failed":                                                                                         {Filters: []sched.Filter{plugin{filter: func() sched.Reason { panic("boom") }}}},
		"plan s: scorer mine panicked: boom: plug-in failed":                                                                                         {Scorers: []sched.Scorer{plugin{score: func() float64 { panic("boom") }}}},
		"plan s: scorer mine gave host a a score of NaN, which cannot be compared: plug-in failed":                                                   {Scorers: []sched.Scorer{plugin{score: math.NaN}}},
		"plan s: scorer mine gave host a a score of +Inf, which cannot be compared: plug-in failed":                                                  {Scorers: []sched.Scorer{plugin{score: func() float64 { return math.Inf(1) }}}},
		"plan s: filter 0 is nil: plug-in failed":                                                                                                    {Filters: []sched.Filter{nil}},
		"plan s: scorer 0 is nil: plug-in failed":                                                                                                    {Scorers: []sched.Scorer{sched.Weighted{}}},
		"plan s: scorer 0 panicked: value method github.com/moset/moset/pkg/sched_test.plugin.Name called using nil *plugin pointer: plug-in failed": {Scorers: []sched.Scorer{(*plugin)(nil)}},
	} {
		p, err := sched.New(c).Plan(context.Background(), sched.SnapshotOf(host("a", "", 1)), b)
		assert.ErrorIs(t, err, sched.ErrPlugin)
		assert.EqualError(t, err, want)
		assert.Empty(t, p.Claims)
	}
}

func TestManyReasonsAreCountedTogether(t *testing.T) {
	n := 0
	f := plugin{filter: func() sched.Reason { n++; return sched.Reason("is number " + string(rune('0'+n))) }}
	snap := schedtest.Fleet(schedtest.FleetConfig{Hosts: 50})
	_, err := sched.New(sched.Config{Filters: []sched.Filter{f}}).Plan(context.Background(), snap, sched.Batch{Set: sched.Set{ID: "s"}})
	var no *sched.NoFitError
	require.True(t, errors.As(err, &no))
	require.Len(t, no.Why.ByFilter, 33)
	assert.Equal(t, sched.Count{Filter: "mine", Reason: "is refused for another reason", Hosts: 18}, no.Why.ByFilter[0])
}
