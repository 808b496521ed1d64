// Command custom-scheduler shows a scheduler of one's own: it always takes the host with the most free memory.
//
// A region runs on it when it is handed over as Planner, in controller.Config, in service.Config, or in
// stack.Config for a whole cloud in one process:
//
//	cloud, err := stack.Start(ctx, stack.Config{StateDir: dir, Planner: emptiest{}})
//
// Here it places a few sets on hosts that exist on paper only.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/sched"
)

// emptiest implements controller.Planner. A region asks for one set at a time, so this one does not
// place several.
type emptiest struct{}

var _ controller.Planner = emptiest{}

// Plan only proposes: the region's ledger refuses a host that somebody else filled meanwhile.
func (emptiest) Plan(_ context.Context, s sched.Snapshot, b sched.Batch) (sched.Plan, error) {
	var best *sched.Host
	for i := range s.Hosts {
		h := &s.Hosts[i]
		if suits(h, b.Set) && (best == nil || h.Free()[sched.Memory] > best.Free()[sched.Memory]) {
			best = h
		}
	}
	if best == nil {
		return sched.Plan{}, fmt.Errorf("%w: none of %d hosts is ready, matches and has room", sched.ErrNoFit, len(s.Hosts))
	}
	claim := sched.Claim{SetID: b.Set.ID, Group: b.Set.Group, HostID: best.ID, HostVersion: best.Version, Take: b.Set.Need}
	return sched.Plan{Claims: []sched.Claim{claim}, Snapshot: s.Number}, nil
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
