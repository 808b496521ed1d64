// Command two-schedulers races two schedulers on one ledger: both plan on snapshots of their own at the same time,
// and commit. A claim that another one was quicker with is refused and planned again; no host is overcommitted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/moset/moset/pkg/sched"
)

func main() {
	r := race{hosts: 100, batches: 40, copies: 20, seeds: []uint64{1, 2}}
	if err := r.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "two-schedulers:", err)
		os.Exit(1)
	}
	fmt.Printf("%d schedulers placed %d sets in %d claims; %d claims (%.1f %%) were refused and planned again\n",
		len(r.seeds), r.placed, r.placed+r.conflicts, r.conflicts, 100*float64(r.conflicts)/float64(r.placed+r.conflicts))
	fmt.Printf("%d of %d hosts have more than they can carry\n", r.over, r.hosts)
}

// race is what is to be placed by each scheduler, and how it went.
type race struct {
	hosts, batches, copies int
	// seeds are one for each scheduler. Different ones break ties differently, so that two schedulers seldom want
	// the same host.
	seeds []uint64

	mu                      sync.Mutex
	placed, conflicts, over int
}

func (r *race) run(ctx context.Context) error {
	ledger := sched.NewLedger(sched.LedgerConfig{})
	for i := range r.hosts {
		h := sched.Host{ID: fmt.Sprintf("host-%03d", i), Capacity: sched.Vector{sched.CPU: 8000, sched.Memory: 32 << 30}}
		if err := ledger.Put(h); err != nil {
			return err
		}
	}
	errs := make([]error, len(r.seeds))
	var wg sync.WaitGroup
	for i, seed := range r.seeds {
		wg.Go(func() { errs[i] = r.schedule(ctx, ledger, i, seed) })
	}
	wg.Wait()
	for _, h := range ledger.Snapshot().Hosts {
		if !h.Used.Fits(h.Allocatable()) {
			r.over++
		}
	}
	return errors.Join(errs...)
}
