package sched

import "context"

// maxForecast bounds the memory of a Forecast: 4 bytes for each copy.
const maxForecast = 10_000_000

// Forecast is how many more copies of a set there is room for.
type Forecast struct {
	// Fit is the number of copies that have a host, at most the limit.
	Fit int
	// Limited is true when the limit ended the count: one more would fit.
	Limited bool
	// Hosts is the number of different hosts the copies are on.
	Hosts int
	// Why says why the next copy does not fit (unless Limited), and which hosts
	// are best for the first.
	Why Explanation
}

// Forecast counts how many more copies of the set the fleet takes, placed one
// after the other as Plan would. limit is from 0 to 10,000,000, and 0 means
// 100,000. That not one fits is an answer, not an error: Fit is 0, and Why
// says why.
//
// It changes nothing, and the same snapshot, set and seed give the same answer.
// It fails with ErrInvalid on bad input, with ErrPlugin when a filter or scorer
// misbehaves, and with the context's error when that ends.
func (s *Scheduler) Forecast(ctx context.Context, snap Snapshot, set Set, limit int) (Forecast, error) {
	f, err := s.forecast(ctx, snap, &Batch{Set: set}, limit)
	if err != nil {
		return Forecast{}, &Error{Op: "forecast", ID: set.ID, Err: err}
	}
	return f, nil
}

func (s *Scheduler) forecast(ctx context.Context, snap Snapshot, b *Batch, limit int) (Forecast, error) {
	if limit < 0 || limit > maxForecast {
		return Forecast{}, invalid("the limit is %d copies; give one from 0 to %d", limit, maxForecast)
	}
	if limit == 0 {
		limit = MaxBatch
	}
	r, err := s.begin(snap, b)
	if err != nil {
		return Forecast{}, err
	}
	var f Forecast // not read when a plug-in hangs: it is written to then
	_, mine, err := r.guard(ctx, func(ctx context.Context, _ *Plan) error {
		return r.with(ctx, func(p planner) error { return r.forecast(ctx, p, limit, &f) })
	})
	s.end(snap, r, mine, err)
	if err != nil {
		return Forecast{}, err
	}
	return f, nil
}

// forecast is fill without claims.
func (r *run) forecast(ctx context.Context, p planner, limit int, f *Forecast) error {
	f.Why.Hosts = len(r.f.hosts)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		best, err := r.choose(p, f.Fit, &f.Why)
		switch {
		case err != nil:
			return err
		case best < 0:
			p.judgeAll()
			r.explain(&f.Why)
			return nil
		case f.Fit == limit:
			f.Limited = true
			return nil
		}
		if r.f.placed[best] == 0 {
			f.Hosts++
		}
		if err := p.take(ctx, best, false); err != nil {
			return err
		}
		f.Fit++
	}
}
