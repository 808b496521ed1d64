package main

import (
	"fmt"

	"github.com/moset/moset/pkg/sched"
)

// check says how many hosts are in use, and fails when the fleet does not hold every set, when a host has more than
// it can carry, or when the policy's rules are broken.
func (w workload) check(p policy, snap sched.Snapshot) (used int, err error) {
	var rules sched.Set
	if p.rules != nil {
		p.rules(&rules)
	}
	sets := make(map[string]int)             // of each batch
	racks := make(map[string]map[string]int) // of each batch
	for h := range snap.All() {
		if !h.Used.Fits(h.Allocatable()) {
			return 0, fmt.Errorf("host %s was given %s", h.ID, h.Used)
		}
		if len(h.Groups) > 0 {
			used++
		}
		for batch, n := range h.Groups {
			if n > 1 && len(rules.AntiAffinity) > 0 {
				return 0, fmt.Errorf("host %s has %d sets of %s", h.ID, n, batch)
			}
			sets[batch] += n
			if racks[batch] == nil {
				racks[batch] = make(map[string]int)
			}
			racks[batch][h.Rack] += n
		}
	}
	for k := range w.batches() {
		b := w.request(p, k)
		if sets[b.Set.ID] != b.N {
			return 0, fmt.Errorf("%d of the %d sets of %s are on hosts", sets[b.Set.ID], b.N, b.Set.ID)
		}
		if err := w.even(b, racks[b.Set.ID]); err != nil {
			return 0, err
		}
	}
	return used, nil
}

// even fails when a hard spread over racks does not hold.
func (w workload) even(b sched.Batch, racks map[string]int) error {
	for _, s := range b.Set.Spread {
		most, least := 0, b.N
		for r := range min(w.racks, w.hosts) {
			n := racks[fmt.Sprintf("r%d", r)]
			most, least = max(most, n), min(least, n)
		}
		if s.Hard && most-least > s.MaxSkew {
			return fmt.Errorf("a rack has %d sets of %s and another %d", most, b.Set.ID, least)
		}
	}
	return nil
}
