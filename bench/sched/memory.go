package main

import (
	"context"
	"runtime"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/pkg/sched"
)

// classes is few enough for a scheduler that remembers a bounded number of them to remember all.
const classes = 32

// memory measures what stays in memory for a host when one more kind of set has been placed: one copy of each shape
// is planned and committed, and the heap compared with what it was after the first shape.
func memory(ctx context.Context, b *bench, r row, hosts int) error {
	w := b.workload(r, hosts)
	l, err := w.ledger()
	if err != nil {
		return err
	}
	s := r.policy.scheduler(0, sched.Shard{})
	var first int64
	for k, shape := range manyShapes(1 + classes) {
		batch := w.request(r.policy, k)
		batch.Set.Need, batch.N = shape.need(), 1
		plan, err := s.Plan(ctx, l.Snapshot(), batch)
		if err != nil {
			return err
		}
		if _, err := l.Commit(ctx, plan, sched.Mode{}); err != nil {
			return err
		}
		if k == 0 {
			first = heap()
		}
	}
	last := heap()
	runtime.KeepAlive(s)
	runtime.KeepAlive(l)
	b.print(figure.Figure{
		Name: r.on(hosts, "-per-host-and-class"), Unit: "B", Ours: float64(max(0, last-first)) / classes / float64(hosts), Goal: figure.Goal{Bound: 20},
	})
	return nil
}
