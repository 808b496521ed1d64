package sched

import "math"

// ThriftScorer likes the host that loses least by the set, so that what comes later finds room. It is close to 1
// for a host that is
//
//   - in use already,
//   - left with little, measured against the mean host of the fleet: what few hosts have weighs most, so that
//     plain sets keep off hosts with a free accelerator, and small sets off large hosts,
//   - free in the proportions the set needs, so that no resource stays over when another is used up.
//
// The answer follows from the set, the host, and what the ready hosts of the fleet offer in all.
type ThriftScorer struct{}

// Name is "thrift".
func (ThriftScorer) Name() string { return "thrift" }

// Score implements Scorer.
//
// The weights were found on generated fleets (examples/fleet-sim -compare): a higher weight of the misfit opens
// new hosts too early, a lower one leaves hosts full of one resource and empty of another.
func (ThriftScorer) Score(q *Request, h HostView) float64 {
	cost := leftover(q, h) + float64(3*misfit(q, h))
	if !inUse(h) {
		cost++
	}
	return 1 / (1 + cost)
}

// leftover sums what is left of each resource, in mean hosts. The root makes many half-used hosts dearer than a
// few empty ones.
func leftover(q *Request, h HostView) float64 {
	sum := 0.0
	for r, need := range q.Set.Need {
		if left := h.Free(Resource(r)) - need; left > 0 {
			sum += math.Sqrt(float64(left) / q.Mean(Resource(r)))
		}
	}
	return sum
}

// misfit is the sine of the angle between the set's need and the host's free room, both as parts of the host: 0
// where they are in proportion, 1 where the host has only what the set does not need. Resources the set needs
// little of count little, because there are nearly always enough of them.
func misfit(q *Request, h HostView) float64 {
	var both, needs, frees float64
	for r, need := range q.Set.Need {
		all := h.Allocatable(Resource(r))
		if need == 0 || all == 0 {
			continue
		}
		n := float64(need) / float64(all)
		f := float64(h.Free(Resource(r))) / float64(all)
		w := math.Sqrt(n)
		// The conversions forbid fused operations, which would differ between machines.
		both += float64(w * n * f)
		needs += float64(w * n * n)
		frees += float64(w * f * f)
	}
	if needs == 0 || frees == 0 {
		return 0
	}
	return math.Sqrt(max(0, 1-float64(both*both)/float64(needs*frees)))
}

func inUse(h HostView) bool {
	for r := range Resource(NumResources) {
		if h.Free(r) != h.Allocatable(r) {
			return true
		}
	}
	return false
}

// Mean is what the mean ready host offers of the resource to sets, within 2 %; 0 where none offers any.
func (q *Request) Mean(r Resource) float64 { return q.r.f.mean[r] }
