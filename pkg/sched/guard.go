package sched

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// guard has work done, and gives up on it when a plug-in of somebody else does
// not come back. mine is false then: the run and its fleet are still in use.
func (r *run) guard(ctx context.Context, work func(context.Context, *Plan) error) (plan Plan, mine bool, err error) {
	if !r.s.foreign || r.s.budget < 0 {
		err = work(ctx, &plan)
		return plan, true, err
	}
	ctx, stop := context.WithTimeoutCause(ctx, r.s.budget, errBudget)
	defer stop()
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			o.panic = recover()
			done <- o
		}()
		o.err = work(ctx, &o.plan)
	}()
	select {
	case o := <-done:
		if o.panic != nil {
			panic(o.panic) // ours: place has recovered those of plug-ins
		}
		if o.err != nil && errors.Is(context.Cause(ctx), errBudget) {
			o.err = r.hung()
		}
		return o.plan, true, o.err
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), errBudget) {
			return Plan{}, false, r.hung()
		}
		return Plan{}, false, ctx.Err()
	}
}

var errBudget = errors.New("the time for plug-ins is over")

type outcome struct {
	plan  Plan
	err   error
	panic any
}

func (r *run) hung() error {
	name := "a plug-in"
	if last := r.last.Load(); last != 0 {
		name = r.s.name(last)
	}
	return &PluginError{Plugin: name, Fault: Hung, Problem: fmt.Sprintf("did not end within %v", r.s.budget.Round(time.Millisecond))}
}
