package sched

import (
	"context"
	"fmt"
	"runtime"
)

// planner is the scan or the index.
type planner interface {
	prepare(ctx context.Context) error
	best() (int, error) // -1 for none
	take(ctx context.Context, host int, last bool) error
	top() ([]ranked, error)
	judgeAll()
	restore()
}

// place finds hosts for the copies.
func (r *run) place(ctx context.Context, plan *Plan) error {
	return r.with(ctx, func(p planner) error { return r.fill(ctx, p, plan) })
}

// with has a planner used, and the fleet put back afterwards.
func (r *run) with(ctx context.Context, use func(planner) error) (err error) {
	defer r.blame(&err)
	if err = r.sort(); err != nil {
		return err
	}
	p := r.planner()
	if err = p.prepare(ctx); err == nil {
		err = use(p)
	}
	p.restore()
	r.vacate()
	return err
}

// blame is deferred: it turns the panic of a plug-in into an error.
func (r *run) blame(err *error) {
	if r.calling == 0 {
		return // not inside a plug-in: a panic is ours and goes on
	}
	if what := recover(); what != nil {
		*err = panicked(r.s.name(r.calling), what)
	}
}

func (r *run) planner() planner {
	if r.s.exhaustive {
		return &scanner{run: r}
	}
	return &index{run: r}
}

func (r *run) fill(ctx context.Context, p planner, plan *Plan) error {
	plan.Claims = make([]Claim, 0, min(r.n, 1024))
	for k := range r.n {
		if err := ctx.Err(); err != nil {
			return err
		}
		best, err := r.choose(p, k, &plan.Why)
		if err != nil {
			return err
		}
		if best < 0 {
			plan.Unplaced = r.n - k
			break
		}
		plan.Claims = append(plan.Claims, r.claim(k, best))
		if err := p.take(ctx, best, k == r.n-1); err != nil {
			return err
		}
	}
	plan.Why.Hosts = len(r.f.hosts)
	if plan.Unplaced > 0 {
		p.judgeAll()
		r.explain(&plan.Why)
	}
	if len(plan.Claims) == 0 {
		plan.Claims = nil
	}
	return nil
}

// choose is the host for copy k, or -1; the best for the first copy are described.
func (r *run) choose(p planner, k int, why *Explanation) (int, error) {
	if k > 0 {
		return p.best()
	}
	top, err := p.top()
	if err != nil || len(top) == 0 {
		return -1, err
	}
	r.describe(why, top)
	return top[0].host, nil
}

func panicked(name string, what any) error {
	text := fmt.Sprint(what)
	if e, ok := what.(runtime.Error); ok {
		text = e.Error()
	}
	return &PluginError{Plugin: name, Problem: "panicked: " + text}
}
