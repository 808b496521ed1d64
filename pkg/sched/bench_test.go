package sched_test

import (
	"context"
	"testing"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

// BenchmarkPlan plans batches of 100 on 1,000 hosts with the built-in policy;
// nothing is committed.
func BenchmarkPlan(b *testing.B) {
	need := sched.Vector{sched.CPU: 2000, sched.Memory: 4 << 30}
	for name, set := range map[string]sched.Set{
		"pack":   {ID: "s", Need: need},
		"spread": {ID: "s", Need: need, Spread: []sched.Spread{{By: "rack", Hard: true}}, AntiAffinity: []sched.AntiAffinity{{}}},
	} {
		b.Run(name, func(b *testing.B) {
			snap := schedtest.Fleet(schedtest.FleetConfig{Hosts: 1000, Racks: 50})
			s := sched.New(sched.Config{})
			b.ReportAllocs()
			placed := 0
			for b.Loop() {
				p, err := s.Plan(context.Background(), snap, sched.Batch{Set: set, N: 100})
				if err != nil {
					b.Fatal(err)
				}
				placed += len(p.Claims)
			}
			b.ReportMetric(float64(placed)/b.Elapsed().Seconds(), "placements/s")
		})
	}
}
