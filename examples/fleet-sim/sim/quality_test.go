package sim_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/examples/fleet-sim/sim"
)

// The full comparison is fleet-sim -compare -seeds 20; these are a few of its fleets, and like it depend on the
// seeds alone.

func TestTheDefaultPolicyPlacesNoLessThanTheSimpleOnes(t *testing.T) {
	c := sim.Comparison{Policies: append([]string{"thrift"}, sim.Baselines()...), Seeds: 1, Workloads: sim.Quality(40)}
	tallies, err := c.Compare(t.Context())
	require.NoError(t, err)
	require.NoError(t, sim.Worse(tallies))
	sums := sim.Sum(tallies, false)
	require.Len(t, sums, 5)
	for _, s := range sums[1:] {
		assert.Greater(t, sums[0].Placed, s.Placed, s.Policy)
		assert.Greater(t, sums[0].Given, s.Given, "of the work, %s", s.Policy)
		assert.Equal(t, sums[0].Requests, s.Requests)
	}
	var table bytes.Buffer
	require.NoError(t, sim.PrintPlaced(&table, tallies))
	assert.Contains(t, table.String(), "few-gpus, ordinary, 0.95, 0")
}

func TestTheDefaultPolicyUsesHardlyMoreHostsThanNeeded(t *testing.T) {
	c := sim.Comparison{Policies: []string{"thrift", "log2"}, Seeds: 1, Workloads: sim.Uniform(300)}
	tallies, err := c.Compare(t.Context())
	require.NoError(t, err)
	for _, s := range tallies {
		ratio := float64(s.Used) / float64(s.Bound)
		assert.GreaterOrEqual(t, ratio, 1.0)
		if s.Policy == "thrift" && s.Workload.Mix == "ordinary" {
			assert.LessOrEqual(t, ratio, 1.03)
		}
	}
	sums := sim.Sum(tallies, false)
	assert.LessOrEqual(t, float64(sums[0].Used)/float64(sums[0].Bound), 1.03, "over all mixes")
	assert.Less(t, sums[0].Used, sums[1].Used)
	var table bytes.Buffer
	require.NoError(t, sim.PrintUsed(&table, tallies))
	assert.Contains(t, table.String(), "uniform, catalogue")
}

func TestWorseNamesThePolicyThatWon(t *testing.T) {
	tallies := []sim.Tally{{Policy: "mine", Placed: 4, Requests: 9}, {Policy: "naive", Placed: 5, Requests: 9}}
	err := sim.Worse(tallies)
	require.ErrorIs(t, err, sim.ErrWorse)
	assert.ErrorContains(t, err, "mine placed 4 and naive 5 of 9")
	tallies[0].Placed = 5
	assert.NoError(t, sim.Worse(tallies))
	_, err = sim.Comparison{Policies: []string{"pack"}}.Compare(t.Context())
	assert.ErrorContains(t, err, "give at least one of each")
	_, err = sim.Comparison{Policies: []string{"best"}, Seeds: 1, Workloads: sim.Uniform(5)}.Compare(t.Context())
	assert.ErrorContains(t, err, `the policy "best" is not known`)
}

func TestGenerateFollowsFromTheSeed(t *testing.T) {
	w := sim.Workload{Fleet: "devices", Mix: "services", Hosts: 60, Seed: 4}
	hosts, requests, err := sim.Generate(w)
	require.NoError(t, err)
	again, more, err := sim.Generate(w)
	require.NoError(t, err)
	assert.Equal(t, hosts, again)
	assert.Equal(t, requests, more)
	w.Seed = 5
	_, others, err := sim.Generate(w)
	require.NoError(t, err)
	assert.NotEqual(t, requests, others)
	for _, bad := range []sim.Workload{{Fleet: "x"}, {Mix: "x"}, {Hosts: -1}, {Load: 11}, {Stay: 2}} {
		_, _, err := sim.Generate(bad)
		assert.Error(t, err, "%+v", bad)
	}
}
