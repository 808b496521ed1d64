package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// Delete implements set.Controller. It ends a task under way.
func (t tenant) Delete(ctx context.Context, ref string, o set.DeleteOptions) (set.Task, error) {
	task, err := t.delete(ctx, ref, o)
	return task, wrap("delete server", ref, err)
}

func (t tenant) delete(ctx context.Context, ref string, o set.DeleteOptions) (set.Task, error) {
	if err := t.mayWrite(); err != nil {
		return set.Task{}, err
	}
	once := t.once(set.VerbDelete, o.IdempotencyKey, ref)
	if task, done, err := once.earlier(ctx); done || err != nil {
		return task, err
	}
	s, err := t.find(ctx, ref, false)
	if err != nil {
		return set.Task{}, err
	}
	task := t.newTask(set.VerbDelete, s, o.IdempotencyKey)
	again := ""
	var committed func()
	s, err = t.c.change(ctx, s.ID, func(s *set.Server, txn *store.Txn) (write bool, err error) {
		if s.Desired == set.DesiredAbsent {
			again = s.TaskID
			return false, nil
		}
		if earlier, done, err := once.earlier(ctx); done || err != nil {
			again = earlier.ID // the same key won the race
			return false, err
		}
		fault := &set.Fault{Code: set.Code(set.ErrConflict), Message: "the server was deleted meanwhile", At: time.Now().UTC()}
		if committed, err = t.c.endTask(ctx, s.TaskID, fault, txn); err != nil {
			return false, err
		}
		s.Generation++
		s.Desired, s.TaskID = set.DesiredAbsent, task.ID
		task.Generation = s.Generation
		txn.Put(taskKey(task.ID), encode(task))
		once.record(txn, member{task: task})
		return true, nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return set.Task{}, fmt.Errorf("%w: it is deleted already", set.ErrNotFound)
	}
	if err != nil {
		return set.Task{}, err
	}
	if again != "" {
		return t.c.task(ctx, again)
	}
	committed()
	t.c.begin(s, task, "")
	return task, nil
}

// finish removes a server that nothing is left of, and gives back what it held. Should another writer be in
// between it looks again: the host's answer and its watch bring the same news at the same time.
func (c *Controller) finish(s set.Server) error {
	for {
		err := c.tryFinish(s.ID)
		if !errors.Is(err, store.ErrConflict) || c.ctx.Err() != nil {
			return err
		}
	}
}

func (c *Controller) tryFinish(id string) error {
	s, revision, err := get[set.Server](c.ctx, c.cfg.Store, serverKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var t store.Txn
	t.Expect(serverKey(s.ID), revision)
	t.Delete(serverKey(s.ID), nameKey(s.ProjectID, s.Name), orderKey(s))
	if s.ServiceID != "" {
		t.Delete(replicaKey(s.ServiceID, s.ID))
	}
	for _, a := range s.Addresses {
		ipam.Release(&t, a)
	}
	committed, err := c.endTask(c.ctx, s.TaskID, nil, &t)
	if err != nil {
		return err
	}
	if _, err := c.cfg.Store.Commit(c.ctx, t); err != nil {
		return unavailable(err)
	}
	c.ledger.Release(s.ID)
	c.forgetToken(s.ID)
	committed()
	c.driveService(s.ServiceID)
	return nil
}
