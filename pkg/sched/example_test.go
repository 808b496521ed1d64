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
