package sched_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/moset/moset/pkg/sched"
)

func Example() {
	host := func(id string, gib int64) sched.Host {
		return sched.Host{ID: id, Capacity: sched.Vector{sched.CPU: 8000, sched.Memory: gib << 30}}
	}
	ctx, ledger := context.Background(), sched.NewLedger(sched.LedgerConfig{})
	for _, h := range []sched.Host{host("h1", 16), host("h2", 4)} {
		if err := ledger.Put(h); err != nil {
			fmt.Println(err)
		}
	}
	web := sched.Set{ID: "web", Need: sched.Vector{sched.CPU: 500, sched.Memory: 3 << 30}}

	s := sched.New(sched.Config{})
	plan, err := s.Plan(ctx, ledger.Snapshot(), sched.Batch{Set: web, N: 2})
	if err != nil {
		fmt.Println(err)
	}
	for _, c := range plan.Claims {
		fmt.Println(c.SetID, "on", c.HostID)
	}
	if _, err := ledger.Commit(ctx, plan, sched.Mode{}); err != nil {
		fmt.Println(err)
	}

	web.ID, web.Need[sched.Memory] = "big", 20<<30
	_, err = s.Plan(ctx, ledger.Snapshot(), sched.Batch{Set: web})
	fmt.Println(err)
	fmt.Println(errors.Is(err, sched.ErrNoFit))
	// Output:
	// web-0 on h2
	// web-1 on h1
	// plan big: 0 of 2 hosts fit: 2 lack memory (20 GiB needed, at most 13 GiB free)
	// true
}

// quiet prefers hosts with few sets of the group "noisy".
type quiet struct{}

func (quiet) Name() string { return "quiet" }

func (quiet) Score(_ *sched.Request, h sched.HostView) float64 {
	return 1 / float64(1+h.Sets("noisy"))
}

func ExampleScorer() {
	s := sched.New(sched.Config{
		Scorers: append(sched.DefaultScorers(), sched.Weighted{Scorer: quiet{}, Weight: 20}),
	})
	room := sched.Vector{sched.CPU: 8000}
	hosts := []sched.Host{
		{ID: "h1", Capacity: room, Groups: map[string]int{"noisy": 3}},
		{ID: "h2", Capacity: room},
	}
	plan, err := s.Plan(context.Background(), sched.SnapshotOf(hosts...),
		sched.Batch{Set: sched.Set{ID: "db", Need: sched.Vector{sched.CPU: 1000}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Claims[0].HostID)
	// Output: h2
}

// fullHost is a fleet of a full host and a small empty one.
func fullHost() (sched.Snapshot, []sched.Running) {
	gib := func(n int64) sched.Vector { return sched.Vector{sched.Memory: n << 30} }
	full := sched.Host{ID: "h1", Capacity: gib(16), Used: gib(16)}
	on := func(id string, n int64, priority int32) sched.Running {
		return sched.Running{Claim: sched.Claim{SetID: id, HostID: "h1", Take: gib(n)}, Priority: priority}
	}
	return sched.SnapshotOf(full, sched.Host{ID: "h2", Capacity: gib(4)}),
		[]sched.Running{on("db", 8, 9), on("batch-1", 4, 1), on("batch-2", 4, 1)}
}

func ExampleScheduler_Forecast() {
	snap, _ := fullHost()
	f, err := sched.New(sched.Config{}).Forecast(context.Background(), snap,
		sched.Set{ID: "web", Need: sched.Vector{sched.Memory: 1 << 30}}, 0)
	fmt.Println(f.Fit, "more on", f.Hosts, "host:", f.Why, err)
	// Output:
	// 4 more on 1 host: 0 of 2 hosts fit: 2 lack memory (1 GiB needed, at most 0 B free) <nil>
}

func ExampleScheduler_Victims() {
	snap, running := fullHost()
	urgent := sched.Set{ID: "urgent", Need: sched.Vector{sched.Memory: 6 << 30}, Priority: 5}
	p, err := sched.New(sched.Config{}).Victims(context.Background(), snap, urgent, running)
	fmt.Println("stop", p.Victims, "on", p.HostID, err)
	// Output: stop [batch-1 batch-2] on h1 <nil>
}

func ExampleScheduler_Drain() {
	snap, running := fullHost()
	var sets []sched.Set
	for _, r := range running {
		sets = append(sets, sched.Set{ID: r.Claim.SetID, Need: r.Claim.Take, Priority: r.Priority})
	}
	e, err := sched.New(sched.Config{}).Drain(context.Background(), snap, "h1", sets)
	if err != nil {
		fmt.Println(err)
	}
	for _, c := range e.Moves {
		fmt.Println(c.SetID, "to", c.HostID)
	}
	for _, s := range e.Stuck {
		fmt.Println(s.SetID, "stays:", s.Why)
	}
	// Output:
	// batch-1 to h2
	// batch-2 stays: 0 of 2 hosts fit: 1 is cordoned, 1 lacks memory (4 GiB needed, at most 0 B free)
	// db stays: 0 of 2 hosts fit: 1 is cordoned, 1 lacks memory (8 GiB needed, at most 0 B free)
}
