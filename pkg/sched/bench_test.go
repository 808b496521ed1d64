package sched_test

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

// shape is one of the sizes asked for in turn.
func shape(cores, gibs int64) sched.Vector {
	return sched.Vector{sched.CPU: cores * 1000, sched.Memory: gibs * gib}
}

func fiveShapes() []sched.Vector {
	return []sched.Vector{shape(1, 2), shape(2, 4), shape(4, 8), shape(4, 16), shape(8, 16)}
}

// manyShapes are all different.
func manyShapes(n int) []sched.Vector {
	list := make([]sched.Vector, n)
	for k := range list {
		list[k] = sched.Vector{sched.CPU: 1000 + int64(k%40)*50, sched.Memory: 2*gib + int64(k)<<20}
	}
	return list
}

// region is a ledger of hosts of 32 cores and 128 GiB in 50 racks that batches
// of 100 are placed on. When it is full enough all sets go away.
type region struct {
	ledger    *sched.Ledger
	scheduler *sched.Scheduler
	set       sched.Set
	shapes    []sched.Vector
	room      int // batches until it is emptied
	batches   int
	warm      int           // batches before the clock
	aside     time.Duration // processor time of emptying
	plans     []time.Duration
}

const batchSize = 100

func newRegion(b *testing.B, hosts int, c sched.Config, set sched.Set, shapes []sched.Vector) *region {
	r := &region{ledger: sched.NewLedger(sched.LedgerConfig{}), scheduler: sched.New(c), set: set, shapes: shapes}
	for _, h := range schedtest.Fleet(schedtest.FleetConfig{Hosts: hosts, Racks: 50}).List() {
		if err := r.ledger.Put(h); err != nil {
			b.Fatal(err)
		}
	}
	r.room = hosts * 4 / batchSize
	return r
}

// next plans and commits one batch, and empties the fleet outside the clock.
func (r *region) next(b *testing.B) {
	if r.batches > 0 && r.batches%r.room == 0 {
		r.empty(b)
	}
	set := r.set
	set.ID = fmt.Sprintf("job-%d", r.batches)
	set.Group, set.Need = set.ID, r.shapes[r.batches%len(r.shapes)]
	snap, start := r.ledger.Snapshot(), time.Now()
	plan, err := r.scheduler.Plan(context.Background(), snap, sched.Batch{Set: set, N: batchSize})
	r.plans = append(r.plans, time.Since(start))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.ledger.Commit(context.Background(), plan, sched.Mode{}); err != nil {
		b.Fatal(err)
	}
	r.batches++
}

func (r *region) empty(b *testing.B) {
	b.StopTimer()
	start := cpuTime(b)
	for _, c := range r.ledger.Claims() {
		r.ledger.Release(c.SetID)
	}
	r.aside += cpuTime(b) - start
	b.StartTimer()
}

func (r *region) report(b *testing.B, cpu time.Duration) {
	placed := float64((r.batches - r.warm) * batchSize)
	b.ReportMetric(placed/b.Elapsed().Seconds(), "placed/s")
	b.ReportMetric(placed/(cpu-r.aside).Seconds(), "placed/cpu-s")
	slices.Sort(r.plans)
	b.ReportMetric(float64(r.plans[len(r.plans)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(r.plans[len(r.plans)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op") // of a batch: says nothing new
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// undeclared is the built-in packing as somebody else's, who declares nothing.
type undeclared struct{}

func (undeclared) Name() string { return "undeclared" }

func (undeclared) Score(_ *sched.Request, h sched.HostView) float64 {
	return -float64(h.Free(sched.CPU)) / float64(max(1, h.Allocatable(sched.CPU)))
}

// BenchmarkPlace plans and commits batches of 100: placements by processor
// second (all of the process, the garbage collector too) and by the clock, and
// percentiles of Plan.
func BenchmarkPlace(b *testing.B) {
	spread := sched.Set{Spread: []sched.Spread{{By: "rack"}}, AntiAffinity: []sched.AntiAffinity{{}}}
	own := sched.Config{Scorers: append(sched.DefaultScorers(), undeclared{})}
	three := sched.Config{Scorers: []sched.Scorer{sched.SpreadScorer{}, sched.ScarcityScorer{}, sched.PackScorer{}}}
	for _, c := range []struct {
		name   string
		config sched.Config
		set    sched.Set
		shapes []sched.Vector
	}{
		{"pack", three, sched.Set{}, fiveShapes()},
		{"spread", three, spread, fiveShapes()},
		{"undeclared", own, sched.Set{}, fiveShapes()},
		{"shapes1000", three, sched.Set{}, manyShapes(1000)},
	} {
		for _, hosts := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", c.name, hosts), func(b *testing.B) {
				r := newRegion(b, hosts, c.config, c.set, c.shapes)
				b.ReportAllocs()
				for range 5 { // a region has seen its shapes before
					r.next(b)
				}
				r.warm, r.plans = r.batches, r.plans[:0]
				b.ResetTimer()
				start := cpuTime(b)
				for b.Loop() {
					r.next(b)
				}
				r.report(b, cpuTime(b)-start)
			})
		}
	}
}
