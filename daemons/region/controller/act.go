package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// Act implements set.Controller.
func (t tenant) Act(ctx context.Context, ref string, a set.Action) (set.Task, error) {
	task, err := t.act(ctx, ref, a)
	return task, wrap(string(a.Verb)+" server", ref, err)
}

func (t tenant) act(ctx context.Context, ref string, a set.Action) (set.Task, error) {
	if err := t.mayWrite(); err != nil {
		return set.Task{}, err
	}
	if a.Grace < 0 || a.Grace > set.MaxStopGrace {
		return set.Task{}, fmt.Errorf("%w: grace: it is not between 0 and %s", set.ErrInvalid, time.Duration(set.MaxStopGrace))
	}
	s, err := t.find(ctx, ref, false)
	if err != nil {
		return set.Task{}, err
	}
	once := t.once(a.Verb, a.IdempotencyKey, []any{s.ID, a.Grace})
	if task, done, err := once.earlier(ctx); done || err != nil {
		return task, err
	}
	switch a.Verb {
	case set.VerbStart:
		return t.setDesired(ctx, s, a, set.DesiredRunning, once)
	case set.VerbStop:
		return t.setDesired(ctx, s, a, set.DesiredStopped, once)
	case set.VerbSync:
		return t.sync(ctx, s, a, once)
	}
	return set.Task{}, fmt.Errorf("%w: verb: %q is not start, stop or sync-status", set.ErrInvalid, a.Verb)
}

// setDesired starts or stops a server. One whose create failed has no host any more and is placed again.
func (t tenant) setDesired(ctx context.Context, s set.Server, a set.Action, d set.Desired, once once) (set.Task, error) {
	if s.Host == "" && d != set.DesiredRunning {
		return set.Task{}, fmt.Errorf("%w: it failed and runs nowhere: start or delete it", set.ErrConflict)
	}
	if s.Host == "" {
		t.c.replacing.Lock()
		defer t.c.replacing.Unlock()
	}
	task := t.newTask(verbOf(d), s, a.IdempotencyKey)
	placed, again := false, ""
	s, err := t.c.change(ctx, s.ID, func(s *set.Server, txn *store.Txn) (bool, error) {
		if earlier, done, err := once.earlier(ctx); done || err != nil {
			again = earlier.ID // the same key won the race
			return false, err
		}
		if placed {
			t.c.ledger.Release(s.ID) // the try before lost a race
			placed = false
		}
		if err := idle(*s); err != nil {
			return false, err
		}
		if s.Host == "" {
			begun := time.Now()
			if err := t.replace(ctx, s, txn); err != nil {
				return false, err
			}
			placed = true
			task.Steps = []set.Step{{Name: stepSchedule, State: set.StepDone, Message: "host " + s.Host, StartedAt: begun, EndedAt: time.Now()}}
		}
		s.Generation++
		s.Desired, s.TaskID, s.Fault = d, task.ID, nil
		s.StopGrace = a.Grace
		task.Generation = s.Generation
		txn.Put(taskKey(task.ID), encode(task))
		once.record(txn, member{task: task})
		return true, nil
	})
	if err != nil {
		if placed {
			t.c.ledger.Release(s.ID)
		}
		if errors.Is(err, store.ErrNotFound) {
			err = set.ErrNotFound
		}
		return set.Task{}, err
	}
	if again != "" {
		return t.c.task(ctx, again)
	}
	t.c.begin(s, task, t.who.Token)
	return task, nil
}

// replace gives a server whose create failed a host and an address again.
func (t tenant) replace(ctx context.Context, s *set.Server, txn *store.Txn) error {
	network, err := t.c.cfg.Networks.Get(ctx, s.ProjectID, networkRequest(s.Spec).Network)
	if err != nil {
		return err
	}
	hosts, _, err := t.c.place(ctx, *s, []string{s.ID}, true)
	if err != nil {
		return err
	}
	a, err := t.c.cfg.Networks.Allocate(ctx, txn, network, s.ID, networkRequest(s.Spec))
	if err != nil {
		t.c.ledger.Release(s.ID)
		return err
	}
	s.Host, s.Addresses = hosts[s.ID], []set.Address{a}
	s.Epoch++
	s.Observed, s.Fault = set.Observed{}, nil
	return nil
}

func verbOf(d set.Desired) set.Verb {
	if d == set.DesiredStopped {
		return set.VerbStop
	}
	return set.VerbStart
}

// idle refuses a server that something is being done to.
func idle(s set.Server) error {
	switch {
	case s.Desired == set.DesiredAbsent:
		return fmt.Errorf("%w: it is being deleted", set.ErrConflict)
	case s.TaskID != "":
		return fmt.Errorf("%w: task %s is under way: wait for it with moset task wait, or delete the server", set.ErrConflict, s.TaskID)
	}
	return nil
}

// sync asks the host and corrects the record; the task is done when it is returned.
func (t tenant) sync(ctx context.Context, s set.Server, a set.Action, once once) (set.Task, error) {
	task := t.newTask(set.VerbSync, s, a.IdempotencyKey)
	if s.Host != "" {
		begun := time.Now()
		if err := t.c.observeNow(ctx, s); err != nil {
			return set.Task{}, err
		}
		task.Steps = append(task.Steps, set.Step{Name: stepObserve, State: set.StepDone, Message: "host " + s.Host, StartedAt: begun, EndedAt: time.Now()})
	}
	task.State, task.EndedAt = set.TaskDone, time.Now().UTC()
	var txn store.Txn
	txn.Put(taskKey(task.ID), encode(task))
	once.record(&txn, member{task: task})
	_, err := t.c.cfg.Store.Commit(ctx, txn)
	if errors.Is(err, store.ErrConflict) { // the same key won the race
		task, _, err = once.earlier(ctx)
	}
	return task, unavailable(err)
}
