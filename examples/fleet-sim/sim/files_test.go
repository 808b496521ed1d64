package sim_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/examples/fleet-sim/sim"
	"github.com/moset/moset/pkg/sched"
)

func TestHostsAreReadInTheirUnits(t *testing.T) {
	hosts, err := sim.ReadHosts(strings.NewReader("# ours\nid,rack,zone,cpu,memory,disk,net_in,gpu,labels\na,r1,z1,2.5,4,100,10,.5,disk=ssd;arch=arm64\nb,,,,,,,,\n"))
	require.NoError(t, err)
	assert.Equal(t, []sched.Host{
		{ID: "a", Rack: "r1", Zone: "z1", Labels: map[string]string{"disk": "ssd", "arch": "arm64"},
			Capacity: sched.Vector{sched.CPU: 2500, sched.Memory: 4 << 30, sched.Disk: 100 << 30, sched.NetIn: 10e9, sim.GPU: 500}},
		{ID: "b", Labels: map[string]string{}},
	}, hosts)
}

func TestRequestsAreReadAndSortedByTime(t *testing.T) {
	requests, err := sim.ReadRequests(strings.NewReader("time,id,cpu,count,lifetime,group,require,spread,apart\n" +
		"9,late,1,,,,,,\n1.5,early,.5,3,60,web,card=a|b;!disk=hdd,rack!;zone,host\n"))
	require.NoError(t, err)
	assert.Equal(t, []sim.Request{
		{At: 1.5, Lifetime: 60, Batch: sched.Batch{N: 3, Set: sched.Set{
			ID: "early", Group: "web", Need: sched.Vector{sched.CPU: 500},
			Require:      []sched.Selector{{Key: "card", Values: []string{"a", "b"}}, {Key: "disk", Values: []string{"hdd"}, Not: true}},
			Spread:       []sched.Spread{{By: "rack", Hard: true}, {By: "zone"}},
			AntiAffinity: []sched.AntiAffinity{{By: "host"}},
		}}},
		{At: 9, Batch: sched.Batch{Set: sched.Set{ID: "late", Need: sched.Vector{sched.CPU: 1000}}}},
	}, requests)
}

func TestFilesThatMakeNoSenseAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "the first line, which names the columns, cannot be read",
		"id,colour\na,red\n":   `the column "colour" is there twice or not known`,
		"id,id\na,a\n":         `the column "id" is there twice`,
		"id,cpu\na,-1\n":       `line 2: cpu is "-1"; give a number from 0 up`,
		"id,cpu\na,1\nb,NaN\n": `line 3: cpu is "NaN"`,
		"id,memory\na,1e300\n": `memory is "1e300"`,
		"id,memory\na,four\n":  `memory is "four"`,
		"id,cpu\na\n":          "wrong number of fields",
		"id,cpu\n,1\n":         "id",
	} {
		_, err := sim.ReadHosts(strings.NewReader(text))
		assert.ErrorContains(t, err, want, text)
		_, err = sim.ReadRequests(strings.NewReader(text))
		assert.ErrorContains(t, err, want, text)
	}
	_, err := sim.ReadHosts(strings.NewReader("id\n"))
	assert.ErrorContains(t, err, "there are none")
	_, err = sim.ReadHosts(strings.NewReader("id,labels\na,ssd\n"))
	assert.ErrorContains(t, err, `the label "ssd" has no key and value`)
	for text, want := range map[string]string{
		"id,count\na,many\n":   `count is "many"`,
		"id,count\na,-2\n":     "-2 copies are wanted",
		"id,time\na,noon\n":    `time is "noon"`,
		"id,lifetime\na,NaN\n": `lifetime is "NaN"`,
		"id\na\na\n":           "the id a is there twice",
	} {
		_, err := sim.ReadRequests(strings.NewReader(text))
		assert.ErrorContains(t, err, want, text)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for _, fleet := range sim.Fleets() {
		for _, mix := range sim.Mixes() {
			hosts, requests, err := sim.Generate(sim.Workload{Fleet: fleet, Mix: mix, Hosts: 40, Stay: .2, Seed: 5})
			require.NoError(t, err)
			var h, r bytes.Buffer
			require.NoError(t, sim.WriteHosts(&h, hosts))
			require.NoError(t, sim.WriteRequests(&r, requests))
			gotHosts, err := sim.ReadHosts(&h)
			require.NoError(t, err)
			assert.Equal(t, hosts, gotHosts, fleet)
			gotRequests, err := sim.ReadRequests(&r)
			require.NoError(t, err)
			assert.Equal(t, requests, gotRequests, "%s of %s", fleet, mix)
		}
	}
}
