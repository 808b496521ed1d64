package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/pkg/sched"
)

// races measures two, four and eight schedulers on one ledger, each with racks of its own to look at first.
func races(ctx context.Context, b *bench, r row, hosts int) error {
	for _, n := range []int{2, 4, 8} {
		w := b.workload(r, hosts)
		t, err := b.try(ctx, w, r.policy, race(n, func(i int) sched.Shard { return sched.Shard{Index: i, Of: n} }))
		if err != nil {
			return err
		}
		b.note(r.name, w, n, t)
		b.print(figure.Figure{
			Name: r.on(hosts, fmt.Sprintf("-conflicts-of-%d", n)), Ours: float64(t.conflicts) / float64(t.claims), Goal: figure.Goal{Bound: 0.02},
		})
	}
	return nil
}

// collisions measures the same with nothing but different seeds, for comparison.
func collisions(ctx context.Context, b *bench, r row, hosts int) error {
	for _, n := range []int{2, 4, 8} {
		w := b.workload(r, hosts)
		t, err := b.try(ctx, w, r.policy, race(n, func(int) sched.Shard { return sched.Shard{} }))
		if err != nil {
			return err
		}
		b.note(r.name, w, n, t)
	}
	return nil
}

// racer is a scheduler that takes every n-th batch, and what it was refused before that.
type racer struct {
	scheduler *sched.Scheduler
	batches   []int
	again     sched.Batch // N is 0 when nothing was refused
	plan      sched.Plan
}

// race is n schedulers with seeds and shards of their own, in lock-step, which is the worst that can happen to them:
// all plan on the same snapshot, then all commit, and what is refused is planned again with the next snapshot.
func race(n int, shard func(i int) sched.Shard) filler {
	return func(ctx context.Context, t *trial, w workload, p policy, l *sched.Ledger) error {
		racers := make([]racer, n)
		for i := range racers {
			racers[i].scheduler = p.scheduler(uint64(i+1), shard(i))
		}
		for k := range w.batches() {
			racers[k%n].batches = append(racers[k%n].batches, k)
		}
		for placed := 0; placed < w.sets; {
			snap := l.Snapshot()
			var group errgroup.Group
			for i := range racers {
				group.Go(func() error { return racers[i].propose(ctx, snap, w, p) })
			}
			if err := group.Wait(); err != nil {
				return err
			}
			for i := range racers {
				accepted, err := racers[i].commit(ctx, t, l)
				if err != nil {
					return err
				}
				placed += accepted
			}
		}
		return nil
	}
}

// propose plans what was refused, or the next batch.
func (r *racer) propose(ctx context.Context, snap sched.Snapshot, w workload, p policy) (err error) {
	r.plan = sched.Plan{}
	if r.again.N == 0 {
		if len(r.batches) == 0 {
			return nil
		}
		r.again = w.request(p, r.batches[0])
		r.again.IDs = r.again.Copies()
		r.batches = r.batches[1:]
	}
	r.plan, err = r.scheduler.Plan(ctx, snap, r.again)
	return err
}

// commit takes what still fits, and says how much.
func (r *racer) commit(ctx context.Context, t *trial, l *sched.Ledger) (accepted int, err error) {
	if len(r.plan.Claims) == 0 {
		return 0, nil
	}
	res, err := l.Commit(ctx, r.plan, sched.Mode{})
	if err != nil && !errors.Is(err, sched.ErrConflict) {
		return 0, err
	}
	if len(res.Accepted)+len(res.Conflicts) != len(r.plan.Claims) {
		return 0, fmt.Errorf("%d claims were accepted and %d refused of %d", len(res.Accepted), len(res.Conflicts), len(r.plan.Claims))
	}
	t.claims += len(r.plan.Claims)
	t.conflicts += len(res.Conflicts)
	r.again.N, r.again.IDs = len(res.Conflicts), nil
	for _, c := range res.Conflicts {
		r.again.IDs = append(r.again.IDs, c.Claim.SetID)
	}
	return len(res.Accepted), nil
}
