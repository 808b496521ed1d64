// Command scorer shows a scorer of one's own in twenty lines: sets go to the host with the cheapest power.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/moset/moset/pkg/sched"
)

// cheap is a sched.Scorer.
type cheap struct{}

// Name stands in explanations.
func (cheap) Name() string { return "cheap" }

// Score is near 1 where power costs next to nothing, and falls towards 0. A host that names no price comes last.
func (cheap) Score(_ *sched.Request, h sched.HostView) float64 {
	label, _ := h.Label("cents-per-kwh")
	price, err := strconv.ParseFloat(label, 64)
	if err != nil || !(price >= 0) {
		return 0
	}
	return 1 / (1 + price)
}

// Depends promises that the answer follows from the host alone, so that it is kept until the host changes. Without it
// everything works too, but every host is asked about for every copy.
func (cheap) Depends(*sched.Request) sched.Dependency { return sched.OnHost }

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "scorer:", err)
		os.Exit(1)
	}
}

// run places four sets on hosts with room for two each.
func run(ctx context.Context) error {
	ledger := sched.NewLedger(sched.LedgerConfig{})
	for id, price := range map[string]string{"by-the-dam": "4", "in-town": "31", "on-the-hill": "9"} {
		h := sched.Host{ID: id, Capacity: sched.Vector{sched.CPU: 2000}, Labels: map[string]string{"cents-per-kwh": price}}
		if err := ledger.Put(h); err != nil {
			return err
		}
	}
	// The weight is that of 10 against the built-in scorers, which stay between 0 and 1 before their own weights.
	s := sched.New(sched.Config{Scorers: append(sched.DefaultScorers(), sched.Weighted{Scorer: cheap{}, Weight: 10})})
	plan, err := s.Plan(ctx, ledger.Snapshot(), sched.Batch{Set: sched.Set{ID: "web", Need: sched.Vector{sched.CPU: 1000}}, N: 4})
	if err != nil {
		return err
	}
	if _, err := ledger.Commit(ctx, plan, sched.Mode{}); err != nil {
		return err
	}
	for _, c := range plan.Claims {
		fmt.Println(c.SetID, "goes to", c.HostID)
	}
	return nil
}
