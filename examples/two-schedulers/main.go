// Command two-schedulers races two schedulers on one ledger: both plan on snapshots of their own at the same time,
// and commit. A claim that another one was quicker with is refused and planned again; no host is overcommitted. With
// a shard each, they seldom meet.
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
	for _, c := range []struct {
		name   string
		scorer sched.Scorer
		shards bool
	}{
		{"hosts filled one after the other", sched.PackScorer{}, false},
		{"all hosts kept level", sched.EvenScorer{}, false},
		{"hosts filled, each its own racks first", sched.PackScorer{}, true},
	} {
		r := race{hosts: 400, batches: 160, copies: 20, scorer: c.scorer, shards: c.shards}
		if err := r.run(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "two-schedulers:", err)
			os.Exit(1)
		}
		fmt.Printf("%s: %d sets placed, %d claims refused and planned again (%.1f %%), %d hosts overcommitted\n",
			c.name, r.placed, r.conflicts, 100*float64(r.conflicts)/float64(r.placed+r.conflicts), r.over)
	}
}

const schedulers = 2

// race is what each of the two schedulers has to place by which scorer, and how it went.
type race struct {
	hosts, batches, copies int
	scorer                 sched.Scorer
	shards                 bool

	mu                      sync.Mutex
	placed, conflicts, over int
}

func (r *race) run(ctx context.Context) error {
	ledger := sched.NewLedger(sched.LedgerConfig{})
	for i := range r.hosts {
		h := sched.Host{ID: fmt.Sprintf("host-%03d", i), Rack: fmt.Sprint("rack-", i%10), Capacity: sched.Vector{sched.CPU: 8000, sched.Memory: 32 << 30}}
		if err := ledger.Put(h); err != nil {
			return err
		}
	}
	var errs [schedulers]error
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = r.schedule(ctx, ledger, i) })
	}
	wg.Wait()
	for h := range ledger.Snapshot().All() {
		if !h.Used.Fits(h.Allocatable()) {
			r.over++
		}
	}
	return errors.Join(errs[:]...)
}
