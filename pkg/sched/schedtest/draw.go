package schedtest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/sched"
)

var groups = []string{"", "web", "db"}

// Snapshots draws small fleets with everything a host can have: all states,
// overcommit, use, address pools and groups; in any order.
func Snapshots() *rapid.Generator[sched.Snapshot] {
	return rapid.Custom(func(t *rapid.T) sched.Snapshot {
		hosts := make([]sched.Host, rapid.IntRange(0, 8).Draw(t, "hosts"))
		for i := range hosts {
			hosts[i] = drawHost(t, fmt.Sprintf("h%d", i))
		}
		snap := sched.SnapshotOf(rapid.Permutation(hosts).Draw(t, "order")...)
		snap.Number = 7
		return snap
	})
}

func drawHost(t *rapid.T, id string) sched.Host {
	h := sched.Host{
		ID: id, Version: 3,
		Rack:   rapid.SampledFrom([]string{"", "r1", "r2"}).Draw(t, "rack"),
		Zone:   rapid.SampledFrom([]string{"z1", "z2"}).Draw(t, "zone"),
		Labels: map[string]string{"disk": rapid.SampledFrom([]string{"ssd", "hdd"}).Draw(t, "disk")},
		// Most hosts are ready, or too little would be placed to see anything.
		State: rapid.SampledFrom([]sched.State{0, 0, 0, 0, sched.Cordoned, sched.Down}).Draw(t, "state"),
	}
	for _, r := range []sched.Resource{sched.CPU, sched.Memory, sched.Custom0} {
		h.Capacity[r] = rapid.Int64Range(0, 20).Draw(t, "capacity")
		h.Overcommit[r] = rapid.SampledFrom([]float64{0, 1, 1.5, 0.5}).Draw(t, "overcommit")
		h.Reserved[r] = rapid.Int64Range(0, 3).Draw(t, "reserved")
		h.Used[r] = rapid.Int64Range(0, 10).Draw(t, "used")
	}
	if rapid.Bool().Draw(t, "pools") {
		h.IPPools = map[string]int64{"blue": rapid.Int64Range(0, 4).Draw(t, "blue")}
	}
	if rapid.Bool().Draw(t, "groups") {
		h.Groups = map[string]int{"web": rapid.IntRange(0, 2).Draw(t, "web"), "db": rapid.IntRange(0, 2).Draw(t, "db")}
	}
	return h
}

// Seeds draws seeds, often 0, whose ties go by host id.
func Seeds() *rapid.Generator[uint64] { return rapid.SampledFrom([]uint64{0, 0, 1, 1 << 63}) }

// Batches draws valid batches to go with Snapshots.
func Batches() *rapid.Generator[sched.Batch] {
	return rapid.Custom(func(t *rapid.T) sched.Batch {
		b := sched.Batch{N: rapid.IntRange(0, 6).Draw(t, "n"), Set: drawSet(t)}
		b.Min = rapid.IntRange(0, max(1, b.N)).Draw(t, "min")
		if rapid.Bool().Draw(t, "ids") {
			for k := range max(1, b.N) {
				b.IDs = append(b.IDs, fmt.Sprintf("id-%d", k))
			}
		}
		return b
	})
}

func drawSet(t *rapid.T) sched.Set {
	s := sched.Set{ID: "set", Group: rapid.SampledFrom(groups).Draw(t, "group")}
	for _, r := range []sched.Resource{sched.CPU, sched.Memory, sched.Custom0} {
		s.Need[r] = rapid.Int64Range(0, 6).Draw(t, "need")
	}
	s.Networks = rapid.SliceOfN(rapid.SampledFrom([]string{"blue", "blue", "red"}), 0, 3).Draw(t, "networks")
	if rapid.Bool().Draw(t, "require") {
		s.Require = []sched.Selector{{Key: "disk", Values: []string{"ssd"}, Not: rapid.Bool().Draw(t, "not")}}
	}
	if rapid.Bool().Draw(t, "prefer") {
		s.Prefer = []sched.Preference{{Selector: sched.Selector{Key: "zone", Values: []string{"z1"}}}}
	}
	if rapid.Bool().Draw(t, "spread") {
		s.Spread = rapid.SliceOfN(rapid.Custom(drawSpread), 1, 2).Draw(t, "spreads")
	}
	if rapid.Bool().Draw(t, "apart") {
		s.AntiAffinity = []sched.AntiAffinity{{Group: rapid.SampledFrom(groups).Draw(t, "from"),
			By: rapid.SampledFrom([]string{"", "rack", "zone", "disk"}).Draw(t, "apart by")}}
	}
	return s
}

func drawSpread(t *rapid.T) sched.Spread {
	return sched.Spread{By: rapid.SampledFrom([]string{"rack", "rack", "host", "zone", "disk"}).Draw(t, "by")}
}
