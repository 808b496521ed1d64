package sched

import (
	"context"
	"fmt"
	"runtime"
)

// Config is the policy of a Scheduler. The zero value is the built-in policy.
type Config struct {
	// Filters are applied in order; the first to refuse a host is the one
	// counted. nil means DefaultFilters. AddressFilter and ResourceFilter are
	// added at the end when they are missing.
	Filters []Filter
	// Scorers are summed. nil means DefaultScorers.
	Scorers []Scorer
	// Seed breaks ties between equally good hosts: 0 by the lower host id,
	// any other number in an order of its own, so that several schedulers
	// with different seeds seldom choose the same host.
	Seed uint64
}

// Scheduler plans. It holds no state between calls and may be used from
// several goroutines at once.
type Scheduler struct {
	filters []Filter
	scorers []Scorer
	seed    uint64
}

// New makes a Scheduler. A nil plug-in is reported by Plan.
func New(c Config) *Scheduler {
	s := &Scheduler{filters: c.Filters, scorers: c.Scorers, seed: c.Seed}
	if s.filters == nil {
		s.filters = DefaultFilters()
	}
	if s.scorers == nil {
		s.scorers = DefaultScorers()
	}
	s.filters = withFilter(s.filters, AddressFilter{})
	s.filters = withFilter(s.filters, ResourceFilter{})
	return s
}

func withFilter[F Filter](filters []Filter, f F) []Filter {
	for _, have := range filters {
		if _, ok := have.(F); ok {
			return filters
		}
	}
	return append(filters[:len(filters):len(filters)], f)
}

// Plan finds the best host for each copy of the batch, one after the other,
// each seeing the earlier ones placed. It changes nothing, and the same
// snapshot, batch and seed give the same plan on every machine.
//
// It fails with ErrInvalid on bad input, ErrPlugin when a filter or scorer
// misbehaves, the context's error when that ends, and with ErrNoFit when
// fewer than Batch.Min copies have a host; the plan then has no claims but
// says Why.
func (s *Scheduler) Plan(ctx context.Context, snap Snapshot, b Batch) (Plan, error) {
	r, err := newRun(s, snap, b)
	if err != nil {
		return Plan{}, &Error{Op: "plan", ID: b.Set.ID, Err: err}
	}
	plan := Plan{Snapshot: snap.Number}
	if err := r.place(ctx, &plan); err != nil {
		return Plan{}, &Error{Op: "plan", ID: b.Set.ID, Err: err}
	}
	least := b.Min
	if least == 0 {
		least = r.n
	}
	if placed := len(plan.Claims); placed < least {
		plan.Claims, plan.Unplaced = nil, r.n
		return plan, &Error{Op: "plan", ID: b.Set.ID, Err: &NoFitError{Wanted: r.n, Min: least, Placed: placed, Why: plan.Why}}
	}
	return plan, nil
}

// place runs the plug-ins, and turns a panic of theirs into an error.
func (r *run) place(ctx context.Context, plan *Plan) (err error) {
	defer func() {
		if r.calling == "" {
			return // not inside a plug-in: a panic is ours and goes on
		}
		if p := recover(); p != nil {
			err = r.panicked(p)
		}
	}()
	if err := r.prepare(ctx); err != nil {
		return err
	}
	for k := range r.n {
		if err := ctx.Err(); err != nil {
			return err
		}
		best := r.best()
		if k == 0 {
			r.top(&plan.Why)
		}
		if best < 0 {
			plan.Unplaced = r.n - k
			break
		}
		plan.Claims = append(plan.Claims, r.claim(k, best))
		if err := r.take(ctx, best, k == r.n-1); err != nil {
			return err
		}
	}
	r.explain(&plan.Why, plan.Unplaced > 0)
	return nil
}

func (r *run) panicked(p any) error {
	what := fmt.Sprint(p)
	if e, ok := p.(runtime.Error); ok {
		what = e.Error()
	}
	return fmt.Errorf("%s panicked: %s: %w", r.calling, what, ErrPlugin)
}

func (r *run) claim(k, host int) Claim {
	h := r.hosts[host]
	return Claim{
		SetID: r.batch.copyID(k), Group: r.req.Set.Group, HostID: h.ID, HostVersion: h.Version,
		Take: r.req.Set.Need, Networks: r.req.Set.Networks, Avoid: r.avoid,
	}
}
