package sim

import (
	"cmp"
	"slices"

	"github.com/moset/moset/pkg/sched"
)

// Bound is the fewest hosts that offer as much as is held: for each resource the largest hosts are counted until
// they have enough, and the resource that needs most hosts decides. No policy can do with fewer, and often none
// can do with as few, since sets are not split.
func Bound(hosts []sched.Host, held sched.Vector) int {
	most := 0
	sizes := make([]int64, len(hosts))
	for r, need := range held {
		for i := range hosts {
			sizes[i] = hosts[i].Allocatable()[r]
		}
		slices.SortFunc(sizes, func(a, b int64) int { return cmp.Compare(b, a) })
		n := 0
		for ; need > 0 && n < len(sizes); n++ {
			need -= sizes[n]
		}
		most = max(most, n)
	}
	return most
}

// inUse is the number of hosts that anything is taken of.
func inUse(hosts []sched.Host) int {
	n := 0
	for i := range hosts {
		if hosts[i].Used != (sched.Vector{}) {
			n++
		}
	}
	return n
}
