// Command custom-scheduler shows a scheduler of one's own: it always takes the host with the most free memory.
//
// A region runs on it when it is the Planner of controller.Config, service.Config or stack.Config.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/sched"
)

// emptiest is a controller.Planner.
type emptiest struct{}

// Plan only proposes: the region's ledger refuses a host that somebody else filled meanwhile.
func (emptiest) Plan(_ context.Context, s sched.Snapshot, b sched.Batch) (sched.Plan, error) {
	plan, hosts := sched.Plan{Snapshot: s.Number}, s.List()
	for _, id := range b.Copies() {
		var best *sched.Host
		for i := range hosts {
			if h := &hosts[i]; suits(h, b.Set) && (best == nil || h.Free()[sched.Memory] > best.Free()[sched.Memory]) {
				best = h
			}
		}
		if best == nil {
			plan.Unplaced++
			continue
		}
		plan.Claims = append(plan.Claims, sched.Claim{SetID: id, Group: b.Set.Group, HostID: best.ID, Take: b.Set.Need})
		best.Used = best.Used.Plus(b.Set.Need)
	}
	if len(plan.Claims) < b.Min || b.Min == 0 && plan.Unplaced > 0 {
		return sched.Plan{}, fmt.Errorf("%w: %d of %d copies have no host that is ready, matches and has room", sched.ErrNoFit, plan.Unplaced, b.N)
	}
	return plan, nil
}

func suits(h *sched.Host, set sched.Set) bool {
	_, notReady := h.Label(controller.LabelNotReady)
	ok := h.State == sched.Ready && !notReady
	for _, condition := range set.Require {
		ok = ok && condition.Matches(h)
	}
	return ok && set.Need.Fits(h.Free())
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "custom-scheduler:", err)
		os.Exit(1)
	}
}

// run places sets of 1 GiB, one after the other, as a region does.
func run(ctx context.Context) error {
	ledger := sched.NewLedger(sched.LedgerConfig{})
	for id, gib := range map[string]int64{"large": 4, "small": 2} {
		if err := ledger.Put(sched.Host{ID: id, Capacity: sched.Vector{sched.CPU: 4000, sched.Memory: gib << 30}}); err != nil {
			return err
		}
	}
	for i := range 6 {
		set := sched.Set{ID: fmt.Sprint("set-", i), Need: sched.Vector{sched.CPU: 500, sched.Memory: 1 << 30}}
		plan, err := emptiest{}.Plan(ctx, ledger.Snapshot(), sched.Batch{Set: set})
		if err != nil {
			return err
		}
		if _, err := ledger.Commit(ctx, plan, sched.Mode{}); err != nil {
			return err
		}
		fmt.Println(set.ID, "goes to", plan.Claims[0].HostID)
	}
	return nil
}
