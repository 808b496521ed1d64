package sched_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/moset/moset/pkg/sched"
)

func TestPlanRefusesBadHosts(t *testing.T) {
	for want, change := range map[string]func(h *sched.Host){
		"plan s: a host has no id: invalid":                                                        func(h *sched.Host) { h.ID = "" },
		"plan s: host h has the unknown state 9: invalid":                                          func(h *sched.Host) { h.State = 9 },
		"plan s: host h has a negative amount of cpu: invalid":                                     func(h *sched.Host) { h.Capacity[sched.CPU] = -1 },
		"plan s: host h has a negative amount of disk: invalid":                                    func(h *sched.Host) { h.Reserved[sched.Disk] = -1 },
		"plan s: host h has a negative amount of pids: invalid":                                    func(h *sched.Host) { h.Used[sched.Pids] = -1 },
		"plan s: host h overcommits memory by -1, which is negative or too much to count: invalid": func(h *sched.Host) { h.Overcommit[sched.Memory] = -1 },
		"plan s: host h overcommits memory by NaN, which is negative or too much to count: invalid": func(h *sched.Host) {
			h.Overcommit[sched.Memory] = math.NaN()
		},
		"plan s: host h overcommits memory by 2, which is negative or too much to count: invalid": func(h *sched.Host) {
			h.Capacity[sched.Memory], h.Overcommit[sched.Memory] = math.MaxInt64, 2
		},
		"plan s: host h has -1 free addresses in network blue: invalid": func(h *sched.Host) { h.IPPools = map[string]int64{"blue": -1} },
		"plan s: host h has -1 sets of group web: invalid":              func(h *sched.Host) { h.Groups = map[string]int{"web": -1} },
		"plan s: host other is in the snapshot twice: invalid":          func(h *sched.Host) { h.ID = "other" },
	} {
		h := sched.Host{ID: "h"}
		change(&h)
		_, err := sched.New(sched.Config{}).Plan(context.Background(),
			sched.SnapshotOf(sched.Host{ID: "other"}, h), sched.Batch{Set: sched.Set{ID: "s"}})
		assert.ErrorIs(t, err, sched.ErrInvalid)
		assert.EqualError(t, err, want)
	}
}

func TestPlanRefusesBadBatches(t *testing.T) {
	for name, change := range map[string]func(b *sched.Batch){
		"no id":               func(b *sched.Batch) { b.Set.ID = "" },
		"negative number":     func(b *sched.Batch) { b.N = -1 },
		"too many":            func(b *sched.Batch) { b.N = sched.MaxBatch + 1 },
		"negative minimum":    func(b *sched.Batch) { b.Min = -1 },
		"minimum above":       func(b *sched.Batch) { b.Min = 2 },
		"too few ids":         func(b *sched.Batch) { b.N, b.IDs = 2, []string{"a"} },
		"an id twice":         func(b *sched.Batch) { b.N, b.IDs = 2, []string{"a", "a"} },
		"an empty id":         func(b *sched.Batch) { b.IDs = []string{""} },
		"negative need":       func(b *sched.Batch) { b.Set.Need[sched.Disk] = math.MinInt64 },
		"nameless network":    func(b *sched.Batch) { b.Set.Networks = []string{""} },
		"selector of nothing": func(b *sched.Batch) { b.Set.Require = []sched.Selector{{}} },
		"preference of NaN": func(b *sched.Batch) {
			b.Set.Prefer = []sched.Preference{{Selector: sched.Selector{Key: "k"}, Weight: math.NaN()}}
		},
		"spread by nothing": func(b *sched.Batch) { b.Set.Spread = []sched.Spread{{}} },
		"negative skew":     func(b *sched.Batch) { b.Set.Spread = []sched.Spread{{By: "rack", MaxSkew: -1}} },
	} {
		b := sched.Batch{Set: sched.Set{ID: "s"}}
		change(&b)
		_, err := sched.New(sched.Config{}).Plan(context.Background(), sched.SnapshotOf(sched.Host{ID: "h"}), b)
		assert.ErrorIs(t, err, sched.ErrInvalid, name)
	}
}

func TestTheLargestNeedOverflowsNothing(t *testing.T) {
	h := sched.Host{ID: "h", Capacity: sched.Vector{sched.CPU: math.MaxInt64}, Used: sched.Vector{sched.CPU: math.MaxInt64, sched.Disk: math.MaxInt64}}
	b := sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{sched.CPU: math.MaxInt64, sched.Disk: math.MaxInt64}}}
	_, err := sched.New(sched.Config{}).Plan(context.Background(), sched.SnapshotOf(h), b)
	assert.ErrorIs(t, err, sched.ErrNoFit)
	h.Used = sched.Vector{}
	b.Set.Need[sched.Disk] = 0
	assert.Equal(t, []string{"h"}, plan(t, sched.Config{}, sched.Batch{Set: b.Set, N: 2, Min: 1}, h))
}
