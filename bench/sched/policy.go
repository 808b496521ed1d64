package main

import (
	"math"

	"github.com/moset/moset/pkg/sched"
)

// policy is a scheduler's configuration and what every set asks for beside its size.
type policy struct {
	filters []sched.Filter
	scorers []sched.Scorer
	rules   func(*sched.Set) // nil: none
}

func (p policy) scheduler(seed uint64, shard sched.Shard) *sched.Scheduler {
	return sched.New(sched.Config{Filters: p.filters, Scorers: p.scorers, Seed: seed, Shard: shard})
}

// packing has three filters and three scorers, all of the package.
func packing() policy {
	return policy{
		filters: []sched.Filter{sched.StateFilter{}, sched.AddressFilter{}, sched.ResourceFilter{}},
		scorers: []sched.Scorer{
			sched.Weighted{Scorer: sched.PreferScorer{}, Weight: 8},
			sched.ThriftScorer{},
			sched.Weighted{Scorer: sched.LocalityScorer{}, Weight: 0.5},
		},
	}
}

// spreading puts a batch on all racks evenly and no two of it on one host, and packs within that.
func spreading() policy {
	p := packing()
	p.filters = append(p.filters, sched.AntiAffinityFilter{}, sched.SpreadFilter{})
	p.rules = func(s *sched.Set) {
		s.Spread = []sched.Spread{{By: "rack", MaxSkew: 1, Hard: true}}
		s.AntiAffinity = []sched.AntiAffinity{{}}
	}
	return p
}

// extended is packing with somebody's own scorer, which says nothing of what it depends on.
func extended() policy {
	p := packing()
	p.scorers = append(p.scorers, proportion{})
	return p
}

// proportion likes hosts whose free cores and free memory go together. It has the two methods a scorer must have and
// no more.
type proportion struct{}

// Name is "proportion".
func (proportion) Name() string { return "proportion" }

// Score implements sched.Scorer.
func (proportion) Score(_ *sched.Request, h sched.HostView) float64 {
	cpu := float64(h.Free(sched.CPU)) / float64(h.Allocatable(sched.CPU))
	memory := float64(h.Free(sched.Memory)) / float64(h.Allocatable(sched.Memory))
	return (1 - math.Abs(cpu-memory)) / 16
}
