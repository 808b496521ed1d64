package set

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// running makes the server run, or looks whether it still does.
func (w *worker) running(ctx context.Context, rec Record) (time.Duration, bool) {
	f, err := w.look(ctx)
	if err != nil {
		return w.postpone(ctx, rec, err)
	}
	if w.complete(f, rec) && w.attached == f.Sandbox.ID {
		return w.steady(rec, f)
	}
	if rec.Reached && !w.complete(f, rec) {
		if wait := w.degrade(rec, f); wait > 0 {
			return wait, false
		}
	}
	if err := w.bringUp(ctx, rec, f); err != nil {
		return w.failed(ctx, rec, err)
	}
	return w.settled(ctx, rec)
}

// look asks the engine for this server; the zero Found when there is nothing.
func (w *worker) look(ctx context.Context) (Found, error) {
	list, err := w.m.cfg.Engine.List(ctx, w.id)
	if err != nil || len(list) == 0 {
		return Found{}, err
	}
	return list[0], nil
}

// complete says that everything the Assignment asks for is there and runs.
func (w *worker) complete(f Found, rec Record) bool {
	if f.SpecHash != SpecHash(rec.Assignment) || f.Sandbox.NetNS == "" {
		return false
	}
	return stateOf(f) == StateRunning && len(f.Containers) == len(rec.Assignment.Spec.Containers)+1
}

// stateOf sums up a server's members; of the infra container only its network counts, it is never frozen.
func stateOf(f Found) State {
	members, up, paused := 0, 0, 0
	for _, c := range f.Containers {
		switch {
		case c.Role == RoleInfra:
			continue
		case c.State == ContainerRunning:
			up++
		case c.State == ContainerPaused:
			paused++
		}
		members++
	}
	switch {
	case up == 0 && paused == 0 && f.Sandbox.NetNS == "":
		return StateStopped
	case paused > 0 && paused == members && f.Sandbox.NetNS != "":
		return StateSuspended
	case up == members && f.Sandbox.NetNS != "":
		return StateRunning
	}
	return StateDegraded
}

// steady is a server that runs as it should.
func (w *worker) steady(rec Record, f Found) (time.Duration, bool) {
	if rec.Observed.State != StateRunning || rec.Observed.Fault != nil || !rec.Reached {
		w.settle(rec, true, func(o *Observed) { w.fill(o, rec, StateRunning, f) })
	}
	if w.repairGap > 0 && time.Since(w.repairAt) > 2*w.m.cfg.BackoffMax {
		w.repairGap = 0 // it has held for long: the next fault starts from the beginning
	}
	return w.m.cfg.Poll, false
}

// fill makes o the observation of rec's generation in the given state.
func (w *worker) fill(o *Observed, rec Record, s State, f Found) {
	o.State, o.Fault = s, nil
	o.Generation, o.Epoch = rec.Assignment.Generation, rec.Assignment.Epoch
	o.Containers = f.Containers
	for i := range o.Containers {
		o.Containers[i].Restarts = w.restarts[o.Containers[i].Name]
	}
}

// degrade notes what is down and returns how long to wait before repairing it. A fault is noted once: when
// its wait is over the repair begins.
func (w *worker) degrade(rec Record, f Found) time.Duration {
	if w.noted {
		wait := max(time.Until(w.repairAt), 0)
		w.noted = wait > 0
		return wait
	}
	fault := NewFault(downSentence(f), time.Now())
	w.update(rec, func(o *Observed) { w.fill(o, rec, StateDegraded, f); o.Fault = fault })
	for _, c := range f.Containers {
		if c.State == ContainerExited {
			w.restarts[c.Name]++
		}
	}
	wait := w.repairGap // none before the first repair
	w.repairGap = min(max(2*w.repairGap, w.m.cfg.Backoff), w.m.cfg.BackoffMax)
	w.repairAt, w.noted = time.Now().Add(wait), wait > 0
	w.m.cfg.Logger.Warn("a server is degraded", "server", w.id, "fault", fault.Message, "repair_in", wait)
	return wait
}

func downSentence(f Found) error {
	if f.Sandbox.NetNS == "" {
		return errors.New("its infra container is down: everything is started again")
	}
	for _, c := range f.Containers {
		switch {
		case c.OOMKilled:
			return fmt.Errorf("container %s ran out of memory and was killed", c.Name)
		case c.State != ContainerRunning:
			return fmt.Errorf("container %s is %s with exit code %d", c.Name, c.State, c.ExitCode)
		}
	}
	return errors.New("it is not what was asked for")
}

// startFailure says why a server that was just started does not run.
func startFailure(rec Record, f Found) error {
	for _, c := range f.Containers {
		if c.State != ContainerExited || c.ExitCode != 126 && c.ExitCode != 127 {
			continue
		}
		for _, spec := range rec.Assignment.Spec.Containers {
			if spec.Name == c.Name {
				return fmt.Errorf("%w: container %s cannot run its command %q (exit code %d): the image has no such program, or it is not executable",
					ErrInvalid, c.Name, append(slices.Clone(spec.Command), spec.Args...), c.ExitCode)
			}
		}
	}
	return fmt.Errorf("%w: right after the start, %w", ErrInvalid, downSentence(f))
}

// bringUp goes from whatever is there to everything running. Every step adopts what exists.
func (w *worker) bringUp(ctx context.Context, rec Record, f Found) error {
	release, err := lane(ctx, w.m.up)
	if err != nil {
		return err
	}
	defer release()
	steps := newSteps(w, rec)
	if stateOf(f) == StateSuspended {
		if f, err = w.resume(ctx, rec, steps); err != nil {
			return err
		}
	}
	if !w.complete(f, rec) {
		return w.makeUp(ctx, rec, steps)
	}
	return w.attach(ctx, rec, f.Sandbox, steps) // adopted: runs, but this Manager has not seen its network
}

// resume thaws what was suspended and looks again.
func (w *worker) resume(ctx context.Context, rec Record, steps *steps) (Found, error) {
	if s, ok := w.m.cfg.Engine.(Suspender); ok {
		steps.enter(StateStarting)
		in := Instance{Assignment: rec.Assignment, ImageIDs: rec.ImageIDs}
		if err := steps.do("resume", func() error { return s.Resume(ctx, in) }); err != nil {
			return Found{}, err
		}
	}
	return w.look(ctx)
}

func (w *worker) makeUp(ctx context.Context, rec Record, steps *steps) error {
	in, err := w.instance(ctx, rec, steps)
	if err != nil {
		return err
	}
	steps.enter(StateCreating)
	var sandbox Sandbox
	err = steps.do("containers", func() (err error) { sandbox, err = w.m.cfg.Engine.Prepare(ctx, in); return err })
	if errors.Is(err, ErrNotFound) && len(rec.ImageIDs) > 0 {
		w.remember(rec, nil) // an image is gone from the host: pull it again next time
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err != nil {
		return err
	}
	if err := w.attach(ctx, rec, sandbox, steps); err != nil {
		return err
	}
	steps.enter(StateStarting)
	return steps.do("start", func() error { return w.m.cfg.Engine.Start(ctx, in) })
}

func (w *worker) attach(ctx context.Context, rec Record, s Sandbox, steps *steps) error {
	err := steps.do("network", func() error {
		return w.m.cfg.Network.Attach(ctx, AttachRequest{ServerID: w.id, Sandbox: s, Addresses: rec.Assignment.Addresses})
	})
	if err == nil {
		w.attached = s.ID
	}
	return err
}

// settled looks once more and publishes the running server.
func (w *worker) settled(ctx context.Context, rec Record) (time.Duration, bool) {
	w.calm(ctx)
	f, err := w.look(ctx)
	if err != nil {
		return w.postpone(ctx, rec, err)
	}
	if !w.complete(f, rec) {
		if rec.Reached {
			return w.m.cfg.Backoff, false
		}
		return w.failed(ctx, rec, startFailure(rec, f))
	}
	w.tries = 0
	w.settle(rec, true, func(o *Observed) { w.fill(o, rec, StateRunning, f) })
	return w.m.cfg.Poll, false
}

// failed decides what an error means: try again, repair later, or take everything back.
func (w *worker) failed(ctx context.Context, rec Record, err error) (time.Duration, bool) {
	if interrupted(ctx, err) {
		return 0, false
	}
	if w.since.IsZero() {
		w.since = time.Now()
	}
	transient := errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
	if rec.Reached || transient && time.Since(w.since) < w.m.cfg.RetryFor {
		return w.postpone(ctx, rec, err)
	}
	w.m.cfg.Logger.Error("a server could not be brought up and is taken back", "server", w.id, "error", err)
	if cleanErr := w.takeBack(ctx, rec); cleanErr != nil {
		w.m.cfg.Logger.Error("taking back what was made failed, will try again", "server", w.id, "error", cleanErr)
		return w.m.cfg.Backoff, false
	}
	w.settle(rec, false, func(o *Observed) {
		steps := o.Steps
		w.fill(o, rec, StateFailed, Found{})
		o.Steps, o.Fault = steps, NewFault(err, time.Now())
	})
	return w.m.cfg.Poll, false
}

// takeBack removes everything of a server that never was as desired; of one that was, volumes and
// containers stay, stopped.
func (w *worker) takeBack(ctx context.Context, rec Record) error {
	w.attached = ""
	if err := w.m.cfg.Engine.Stop(ctx, Instance{Assignment: quickly(rec.Assignment)}); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := w.m.cfg.Network.Detach(ctx, w.id); err != nil {
		return err
	}
	if rec.Made {
		return nil
	}
	return w.m.cfg.Engine.Remove(ctx, w.id)
}

// quickly shortens the grace of a server that never ran.
func quickly(a Assignment) Assignment {
	a.Grace = Duration(time.Second)
	return a
}

// postpone keeps the last observation, notes the fault and tries again later.
func (w *worker) postpone(ctx context.Context, rec Record, err error) (time.Duration, bool) {
	if interrupted(ctx, err) {
		return 0, false
	}
	w.tries++
	wait := min(w.m.cfg.Backoff/4<<min(w.tries, 12), w.m.cfg.BackoffMax)
	w.m.cfg.Logger.Warn("will try again", "server", w.id, "in", wait, "error", err)
	w.update(rec, func(o *Observed) { o.Fault = NewFault(err, time.Now()) })
	return wait, false
}
