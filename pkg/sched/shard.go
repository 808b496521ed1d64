package sched

import (
	"hash/fnv"
	"slices"
)

// Shard is the part of the fleet that a scheduler prefers: one of Of equal
// parts, made of whole racks where there are enough of them. A host of its own
// part that will do is taken before any other, whatever the scores; when there
// is none the other parts are open too. Several schedulers with the same Of and
// each Index below it then seldom plan on the same host. The zero value prefers
// nothing.
type Shard struct {
	Index, Of int
}

func (s Shard) validate() error {
	if s == (Shard{}) || s.Of > 0 && s.Index >= 0 && s.Index < s.Of {
		return nil
	}
	return invalid("the shard %d of %d does not exist; give an index from 0 to below the number of shards", s.Index, s.Of)
}

// parts are the shards of the hosts: racks dealt out in order of their names,
// or single hosts by a hash of the id where racks are too few to be fair.
func (s Shard) parts(hosts []*Host) []int {
	parts := make([]int, len(hosts))
	if s.Of <= 1 {
		return parts
	}
	rank := make(map[string]int)
	for _, h := range hosts {
		rank[h.Rack] = 0
	}
	racks := make([]string, 0, len(rank))
	for name := range rank {
		racks = append(racks, name)
	}
	slices.Sort(racks)
	for k, name := range racks {
		rank[name] = k
	}
	for i, h := range hosts {
		if len(racks) >= 2*s.Of {
			parts[i] = rank[h.Rack] % s.Of
			continue
		}
		f := fnv.New32a()
		_, _ = f.Write([]byte(h.ID)) // never fails
		parts[i] = int(f.Sum32() % uint32(s.Of))
	}
	return parts
}
