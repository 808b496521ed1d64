package sched

import (
	"context"
	"errors"
	"time"
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
	// Shard keeps several schedulers on one ledger out of each other's way.
	Shard Shard
	// Exhaustive asks every plug-in about every host in each plan and keeps
	// nothing. The plans are the same, only slower: for tests, and to find out
	// whether a plug-in is what it declares.
	Exhaustive bool
	// Check is how many of the answers that were kept are asked for again in
	// each plan, at random from Seed. One that differs ends the plan with a
	// PluginError of the Fault Lied. 0 checks nothing; use it in tests of
	// plug-ins that declare OnHost.
	Check int
	// Budget is how long one plan may take where plug-ins of others are asked;
	// 0 means 5 s, a negative one any time. A plug-in that hangs ends the plan
	// with a PluginError of the Fault Hung.
	Budget time.Duration
}

// Scheduler plans. What it keeps between calls only makes it quicker; it may
// be used from several goroutines at once.
type Scheduler struct {
	policy
	seed       uint64
	shard      Shard
	exhaustive bool
	check      int
	budget     time.Duration
	idle       idle
}

// New makes a Scheduler. A plug-in that is nil or misbehaves is reported by
// Plan.
func New(c Config) *Scheduler {
	if c.Filters == nil {
		c.Filters = DefaultFilters()
	}
	if c.Scorers == nil {
		c.Scorers = DefaultScorers()
	}
	filters := withFilter(c.Filters, AddressFilter{})
	filters = withFilter(filters, ResourceFilter{})
	if c.Budget == 0 {
		c.Budget = 5 * time.Second
	}
	return &Scheduler{
		policy: newPolicy(filters, c.Scorers), seed: c.Seed, shard: c.Shard,
		exhaustive: c.Exhaustive, check: c.Check, budget: c.Budget,
	}
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
// On snapshots of a Ledger only the hosts that changed since the last one are
// looked at; see Dependent for what that asks of plug-ins.
//
// It fails with ErrInvalid on bad input, ErrPlugin when a filter or scorer
// misbehaves, the context's error when that ends, and with ErrNoFit when
// fewer than Batch.Min copies have a host; the plan then has no claims but
// says Why.
func (s *Scheduler) Plan(ctx context.Context, snap Snapshot, b Batch) (Plan, error) {
	plan, err := s.plan(ctx, snap, &b)
	if err != nil {
		return plan, &Error{Op: "plan", ID: b.Set.ID, Err: err}
	}
	return plan, nil
}

func (s *Scheduler) plan(ctx context.Context, snap Snapshot, b *Batch) (Plan, error) {
	r, err := s.begin(snap, b)
	if err != nil {
		return Plan{}, err
	}
	plan, mine, err := r.guard(ctx, func(ctx context.Context, p *Plan) error { return r.place(ctx, p) })
	plan.Snapshot = snap.Number
	s.end(snap, r, mine, err)
	if err != nil {
		return Plan{}, err
	}
	least := b.Min
	if least == 0 {
		least = r.n
	}
	if placed := len(plan.Claims); placed < least {
		plan.Claims, plan.Unplaced = nil, r.n
		return plan, &NoFitError{Wanted: r.n, Min: least, Placed: placed, Why: plan.Why}
	}
	return plan, nil
}

// begin checks what was handed in, and takes a fleet to plan on.
func (s *Scheduler) begin(snap Snapshot, b *Batch) (*run, error) {
	if err := s.validate(b); err != nil {
		return nil, err
	}
	f, err := s.fleet(snap)
	if err != nil {
		return nil, err
	}
	return newRun(s, f, b), nil
}

func (s *Scheduler) validate(b *Batch) error {
	if err := b.Validate(); err != nil {
		return err
	}
	if s.err != nil {
		return s.err
	}
	return s.shard.validate()
}

// end keeps the fleet, unless a plug-in failed on it or still has hold of it.
func (s *Scheduler) end(snap Snapshot, r *run, mine bool, err error) {
	if mine && !errors.Is(err, ErrPlugin) {
		s.keep(snap, r.f)
	}
}
