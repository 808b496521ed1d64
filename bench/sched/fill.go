package main

import (
	"context"
	"fmt"
	"time"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/pkg/sched"
)

// trial is what came of filling fleets, as often as it takes.
type trial struct {
	meter
	rounds    int
	placed    int // of all rounds
	plans     figure.Samples
	claims    int // that were to be committed
	conflicts int // of these
	used      int // hosts of the last round
	bound     int
}

func (t *trial) perCPU() float64  { return float64(t.placed) / t.cpu.Seconds() }
func (t *trial) perWall() float64 { return float64(t.placed) / t.wall.Seconds() }

// filler places a workload on a ledger.
type filler func(context.Context, *trial, workload, policy, *sched.Ledger) error

// fill measures a row with one scheduler.
func fill(ctx context.Context, b *bench, r row, hosts int) error {
	w := b.workload(r, hosts)
	t, err := b.try(ctx, w, r.policy, alone)
	if err != nil {
		return err
	}
	b.note(r.name, w, 1, t)
	b.keep(r, hosts, t)
	return nil
}

// try fills an empty fleet again and again; making and checking it is not counted.
func (b *bench) try(ctx context.Context, w workload, p policy, f filler) (*trial, error) {
	t := &trial{bound: w.bound()}
	for t.rounds == 0 || t.cpu < b.least {
		l, err := w.ledger()
		if err != nil {
			return nil, err
		}
		t.start()
		err = f(ctx, t, w, p, l)
		t.stop()
		if err != nil {
			return nil, err
		}
		if t.used, err = w.check(p, l.Snapshot()); err != nil {
			return nil, err
		}
		t.rounds++
		t.placed += w.sets
	}
	return t, nil
}

// alone is one scheduler: snapshot, plan and commit of one batch after the other. A plan's time has the snapshot in it.
func alone(ctx context.Context, t *trial, w workload, p policy, l *sched.Ledger) error {
	s := p.scheduler(0, sched.Shard{})
	for k := range w.batches() {
		at := time.Now()
		plan, err := s.Plan(ctx, l.Snapshot(), w.request(p, k))
		t.plans = append(t.plans, time.Since(at))
		if err != nil {
			return err
		}
		res, err := l.Commit(ctx, plan, sched.Mode{})
		if err != nil {
			return err
		}
		if len(res.Accepted) != w.size(k) {
			return fmt.Errorf("%d of the %d sets of batch %d were placed", len(res.Accepted), w.size(k), k)
		}
		t.claims += len(plan.Claims)
	}
	return nil
}
