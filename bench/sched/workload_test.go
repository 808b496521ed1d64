package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

func TestAThousandShapesAreAllDifferent(t *testing.T) {
	seen := map[shape]bool{}
	for _, s := range manyShapes(1000) {
		seen[s] = true
		assert.Positive(t, s.millicores)
		assert.Positive(t, s.mebibytes)
	}
	assert.Len(t, seen, 1000)
	assert.Len(t, manyShapes(7), 7)
	assert.Len(t, manyShapes(2000), 1000)
}

func TestTheBoundIsByWhatIsScarcer(t *testing.T) {
	for want, w := range map[int]workload{
		475: {sets: 4000, batch: 100, shapes: fiveShapes(0)},
		2:   {sets: 33, batch: 10, shapes: []shape{{1000, 1}}},
		3:   {sets: 33, batch: 10, shapes: []shape{{1, 8192}}},
	} {
		assert.Equal(t, want, w.bound())
	}
}

func TestTheLastBatchMayBeSmaller(t *testing.T) {
	w := workload{sets: 25, batch: 10, shapes: fiveShapes(0)}
	assert.Equal(t, []int{3, 10, 5}, []int{w.batches(), w.request(packing(), 1).N, w.request(packing(), 2).N})
}

func TestAFleetThatBreaksTheRulesIsNoticed(t *testing.T) {
	w := workload{hosts: 4, racks: 2, sets: 4, batch: 4, shapes: []shape{{1000, 1024}}}
	on := func(hosts ...string) sched.Snapshot {
		l, err := w.ledger()
		require.NoError(t, err)
		var p sched.Plan
		b := w.request(packing(), 0)
		for k, h := range hosts {
			p.Claims = append(p.Claims, sched.Claim{SetID: b.Copies()[k], Group: b.Set.Group, HostID: h, Take: b.Set.Need})
		}
		_, err = l.Commit(context.Background(), p, sched.Mode{Force: true})
		require.NoError(t, err)
		return l.Snapshot()
	}
	used, err := w.check(spreading(), on("h00000", "h00001", "h00002", "h00003"))
	require.NoError(t, err)
	assert.Equal(t, 4, used)
	used, err = w.check(packing(), on("h00000", "h00000", "h00000", "h00000"))
	require.NoError(t, err)
	assert.Equal(t, 1, used)
	_, err = w.check(spreading(), on("h00000", "h00001", "h00002", "h00002"))
	assert.EqualError(t, err, "host h00002 has 2 sets of job-0")
	_, err = w.check(packing(), on("h00000"))
	assert.EqualError(t, err, "1 of the 4 sets of job-0 are on hosts")
	w.shapes[0].millicores = 20_000
	_, err = w.check(packing(), on("h00000", "h00000", "h00001", "h00002"))
	assert.EqualError(t, err, "host h00000 was given cpu 40 cores, memory 2 GiB")
	w = workload{hosts: 4, racks: 2, sets: 2, batch: 2, shapes: []shape{{1000, 1024}}}
	_, err = w.check(spreading(), on("h00000", "h00002"))
	assert.EqualError(t, err, "a rack has 2 sets of job-0 and another 0")
}
