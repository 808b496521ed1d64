package set

import (
	"context"
	"errors"
	"time"
)

// Suspender is an ability of Engines, found by assertion: freezing a running server and thawing it.
type Suspender interface {
	Suspend(ctx context.Context, in Instance) error
	Resume(ctx context.Context, in Instance) error
}

// stopped makes the server stop; its volumes, containers and address stay.
func (w *worker) stopped(ctx context.Context, rec Record) (time.Duration, bool) {
	if rec.Reached && rec.Observed.State == StateStopped {
		return w.m.cfg.Poll, false
	}
	f, err := w.look(ctx)
	if err != nil {
		return w.postpone(ctx, rec, err)
	}
	slots := w.m.down
	if len(f.Containers) == 0 {
		slots = w.m.up // its images are pulled: no stop shall wait for that
	}
	release, err := lane(ctx, slots)
	if err != nil {
		return 0, false
	}
	defer release()
	if err := w.stop(ctx, rec, f, newSteps(w, rec)); err != nil {
		return w.failed(ctx, rec, err)
	}
	if f, err = w.look(ctx); err != nil {
		return w.postpone(ctx, rec, err)
	}
	w.settle(rec, true, func(o *Observed) { w.fill(o, rec, StateStopped, f) })
	return w.m.cfg.Poll, false
}

func (w *worker) stop(ctx context.Context, rec Record, f Found, steps *steps) error {
	if len(f.Containers) == 0 { // never made: have the images here, so that a start is quick
		_, err := w.instance(ctx, rec, steps)
		return err
	}
	steps.enter(StateStopping)
	in := Instance{Assignment: rec.Assignment, ImageIDs: rec.ImageIDs}
	if err := steps.do("stop", func() error { return w.m.cfg.Engine.Stop(ctx, in) }); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return w.detach(ctx, steps)
}

func (w *worker) detach(ctx context.Context, steps *steps) error {
	w.attached = ""
	return steps.do("network", func() error { return w.m.cfg.Network.Detach(ctx, w.id) })
}

// suspended freezes a server, bringing it up first if it does not run.
func (w *worker) suspended(ctx context.Context, rec Record) (time.Duration, bool) {
	f, err := w.look(ctx)
	if err != nil {
		return w.postpone(ctx, rec, err)
	}
	frozen := stateOf(f) == StateSuspended && f.SpecHash == SpecHash(rec.Assignment)
	if frozen && rec.Reached && rec.Observed.State == StateSuspended && rec.Observed.Fault == nil {
		return w.m.cfg.Poll, false
	}
	if !frozen {
		if !w.complete(f, rec) || w.attached != f.Sandbox.ID {
			if err := w.bringUp(ctx, rec, f); err != nil {
				return w.failed(ctx, rec, err)
			}
		}
		in := Instance{Assignment: rec.Assignment, ImageIDs: rec.ImageIDs}
		if err := w.m.cfg.Engine.(Suspender).Suspend(ctx, in); err != nil {
			return w.failed(ctx, rec, err)
		}
		if f, err = w.look(ctx); err != nil {
			return w.postpone(ctx, rec, err)
		}
	}
	w.settle(rec, true, func(o *Observed) { w.fill(o, rec, StateSuspended, f) })
	return w.m.cfg.Poll, false
}

// absent removes everything and leaves a tombstone in memory.
func (w *worker) absent(ctx context.Context, rec Record) (time.Duration, bool) {
	release, err := lane(ctx, w.m.down)
	if err != nil {
		return 0, false
	}
	defer release()
	steps := newSteps(w, rec)
	if err := w.removeAll(ctx, rec, steps); err != nil {
		return w.postpone(ctx, rec, err)
	}
	w.update(rec, func(o *Observed) { o.State, o.Containers, o.Fault = StateDeleted, nil, nil })
	return w.m.cfg.Backoff, false
}

// buried is a server that is gone. An engine finishes a create even if its caller went away: what came
// through after the removal is removed too. Looks come less and less often, but for what events tell.
func (w *worker) buried(ctx context.Context, rec Record) (time.Duration, bool) {
	age := time.Since(rec.Observed.At)
	if age < w.m.cfg.Backoff {
		return w.m.cfg.Backoff - age, false
	}
	f, err := w.look(ctx)
	if err == nil && f.ServerID != "" {
		w.m.cfg.Logger.Info("a create that came through late is removed", "server", w.id)
		err = w.removeAll(ctx, rec, newSteps(w, rec))
	}
	if err != nil {
		return w.m.cfg.Poll, false
	}
	left := w.m.cfg.Tombstone - age
	return max(min(left, age), 0), left <= 0
}

func (w *worker) removeAll(ctx context.Context, rec Record, steps *steps) error {
	in := Instance{Assignment: rec.Assignment, ImageIDs: rec.ImageIDs}
	if err := steps.do("stop", func() error { return w.m.cfg.Engine.Stop(ctx, in) }); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := w.detach(ctx, steps); err != nil {
		return err
	}
	if err := steps.do("remove", func() error { return w.m.cfg.Engine.Remove(ctx, w.id) }); err != nil {
		return err
	}
	return w.m.cfg.Journal.Delete(w.id)
}
