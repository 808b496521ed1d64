package sched_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

func thrift(t *testing.T, set sched.Set, hosts ...sched.Host) []float64 {
	t.Helper()
	set.ID = "s"
	q, views, err := sched.Views(set, hosts...)
	require.NoError(t, err)
	var scores []float64
	for _, v := range views {
		scores = append(scores, sched.ThriftScorer{}.Score(q, v))
	}
	return scores
}

func sized(cpu, memory, gpu int64) sched.Vector {
	return sched.Vector{sched.CPU: cpu, sched.Memory: memory, sched.Custom0: gpu}
}

func TestThriftPrefers(t *testing.T) {
	both := sched.Set{Need: sized(2, 2, 0)}
	for name, c := range map[string]struct {
		set           sched.Set
		better, worse sched.Host
	}{
		"a host in use": {both,
			sched.Host{Capacity: sized(16, 16, 0), Used: sized(1, 1, 0)}, sched.Host{Capacity: sized(16, 16, 0)}},
		"the fuller host": {both,
			sched.Host{Capacity: sized(16, 16, 0), Used: sized(12, 12, 0)}, sched.Host{Capacity: sized(16, 16, 0), Used: sized(6, 6, 0)}},
		"the smaller host": {both,
			sched.Host{Capacity: sized(8, 8, 0)}, sched.Host{Capacity: sized(64, 64, 0)}},
		"a host without a device, though empty": {both,
			sched.Host{Capacity: sized(16, 16, 0)}, sched.Host{Capacity: sized(16, 16, 4), Used: sized(8, 8, 0)}},
		"a host whose devices are taken": {both,
			sched.Host{Capacity: sized(16, 16, 4), Used: sized(4, 4, 4)}, sched.Host{Capacity: sized(16, 16, 4), Used: sized(4, 4, 2)}},
		"the host with the fewest devices left": {sched.Set{Need: sized(2, 2, 1)},
			sched.Host{Capacity: sized(16, 16, 8), Used: sized(12, 12, 6)}, sched.Host{Capacity: sized(16, 16, 8), Used: sized(4, 4, 2)}},
		"room of the set's proportions": {sched.Set{Need: sized(2, 6, 0)},
			sched.Host{Capacity: sized(16, 16, 0), Used: sized(12, 4, 0)}, sched.Host{Capacity: sized(16, 16, 0), Used: sized(4, 8, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			c.better.ID, c.worse.ID = "better", "worse"
			others := []sched.Host{{ID: "c", Capacity: sized(16, 16, 0)}, {ID: "d", Capacity: sized(16, 16, 0)}, {ID: "e", Capacity: sized(16, 16, 0)}}
			scores := thrift(t, c.set, append([]sched.Host{c.better, c.worse}, others...)...)
			assert.Greater(t, scores[0], scores[1])
			assert.Less(t, scores[0], 1.0)
			assert.Positive(t, scores[1])
		})
	}
}

func TestThriftIsOneOnAHostInUseThatIsFullAfterwards(t *testing.T) {
	hosts := []sched.Host{{ID: "a", Capacity: sized(16, 16, 0), Used: sized(8, 8, 0)}, {ID: "b", Capacity: sized(16, 16, 0)}}
	assert.InDelta(t, 1, thrift(t, sched.Set{Need: sized(8, 8, 0)}, hosts...)[0], 1e-6)
	// Half of cpu and half of memory are left, in proportion: 2 * sqrt(1/2), and 1 for an unused host.
	assert.InDelta(t, 1/(2+2*math.Sqrt(.5)), thrift(t, sched.Set{Need: sized(8, 8, 0)}, hosts...)[1], 1e-6)
}

func TestThriftIsANumberForOddHostsAndSets(t *testing.T) {
	hosts := []sched.Host{
		{ID: "over", Capacity: sized(4, 4, 0), Used: sized(9, 9, 9)},
		{ID: "nothing"},
		{ID: "huge", Capacity: sized(math.MaxInt64, math.MaxInt64, 0)},
		{ID: "down", Capacity: sched.Vector{sched.Disk: 5}, State: sched.Down},
	}
	for _, need := range []sched.Vector{{}, sized(1, 1, 1), sized(math.MaxInt64, 0, 0), {sched.Disk: 1}} {
		for i, x := range thrift(t, sched.Set{Need: need}, hosts...) {
			assert.True(t, x >= 0 && x <= 1, "%v for %v on %s", x, need, hosts[i].ID)
		}
	}
}

func TestMeanCountsReadyHostsInAnyOrder(t *testing.T) {
	hosts := []sched.Host{
		{ID: "a", Capacity: sized(10, 1, 0)}, {ID: "b", Capacity: sized(5, 1, 4)},
		{ID: "c", Capacity: sized(100, 1, 4), State: sched.Cordoned},
	}
	for range 2 {
		q, _, err := sched.Views(sched.Set{ID: "s"}, hosts...)
		require.NoError(t, err)
		assert.InDelta(t, 7.5, q.Mean(sched.CPU), 1e-9)
		assert.InDelta(t, 2, q.Mean(sched.Custom0), 1e-9)
		assert.Zero(t, q.Mean(sched.Disk))
		slices.Reverse(hosts)
	}
}
