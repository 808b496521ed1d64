package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/moset/moset/pkg/sched"
)

// schedule is one scheduler at work. The hosts are everybody's, the sets are its own. Its seed breaks ties between
// equally good hosts in an order of its own, so that the two seldom want the same host where many are as good.
func (r *race) schedule(ctx context.Context, ledger *sched.Ledger, number int) error {
	c := sched.Config{Seed: uint64(number + 1), Scorers: []sched.Scorer{r.scorer}}
	if r.shards {
		c.Shard = sched.Shard{Index: number, Of: schedulers}
	}
	s := sched.New(c)
	for k := range r.batches {
		set := sched.Set{ID: fmt.Sprintf("set-%d-%d", number, k), Need: sched.Vector{sched.CPU: 500, sched.Memory: 2 << 30}}
		left := sched.Batch{Set: set, N: r.copies}.Copies()
		for len(left) > 0 {
			var err error
			if left, err = r.attempt(ctx, ledger, s, sched.Batch{Set: set, N: len(left), IDs: left}); err != nil {
				return err
			}
		}
	}
	return nil
}

// attempt plans and commits once, and returns the ids that somebody else was quicker than.
func (r *race) attempt(ctx context.Context, ledger *sched.Ledger, s *sched.Scheduler, b sched.Batch) (left []string, err error) {
	plan, err := s.Plan(ctx, ledger.Snapshot(), b)
	if err != nil {
		return nil, err
	}
	result, err := ledger.Commit(ctx, plan, sched.Mode{})
	if err != nil && !errors.Is(err, sched.ErrConflict) {
		return nil, err
	}
	for _, c := range result.Conflicts {
		left = append(left, c.Claim.SetID)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.placed += len(result.Accepted)
	r.conflicts += len(result.Conflicts)
	return left, nil
}
