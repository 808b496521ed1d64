package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// The steps that the region does itself.
const (
	stepImages   = "check images"
	stepSchedule = "schedule"
	stepObserve  = "observe"
)

// taskWait bounds how long one Task call waits for news.
const taskWait = 25 * time.Second

// taskBoard holds the tasks under way: their steps change often and are written to the store at the end
// only, together with the outcome. Readers wait on it without polling.
type taskBoard struct {
	mu      sync.Mutex
	live    map[string]set.Task
	waiters map[string]chan struct{} // closed at the next change of a task
}

func newTaskBoard() *taskBoard {
	return &taskBoard{live: map[string]set.Task{}, waiters: map[string]chan struct{}{}}
}

func (b *taskBoard) get(id string) (set.Task, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.live[id]
	return t, ok
}

// put replaces a task and wakes its readers.
func (b *taskBoard) put(t set.Task) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live[t.ID] = t
	b.wake(t.ID)
}

// update changes a live task and wakes its readers; one that has ended stays as it ended.
func (b *taskBoard) update(id string, change func(*set.Task)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.live[id]
	if !ok || t.State.Final() {
		return
	}
	change(&t)
	t.Revision++
	b.live[id] = t
	b.wake(id)
}

// drop forgets a task that the store has now.
func (b *taskBoard) drop(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.live, id)
	b.wake(id)
}

func (b *taskBoard) wake(id string) {
	if ch, ok := b.waiters[id]; ok {
		close(ch)
		delete(b.waiters, id)
	}
}

// release lets go of the readers of a task that is not live: nothing would ever wake them.
func (b *taskBoard) release(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.live[id]; !ok {
		b.wake(id)
	}
}

// changed returns a channel that is closed at the task's next change.
func (b *taskBoard) changed(id string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch, ok := b.waiters[id]
	if !ok {
		ch = make(chan struct{})
		b.waiters[id] = ch
	}
	return ch
}

func (t tenant) newTask(v set.Verb, s set.Server, key string) set.Task {
	return set.Task{ID: uuid.NewString(), Verb: v, ServerID: s.ID, ServerName: s.Name, ProjectID: s.ProjectID, UserID: t.who.UserID,
		RequestID: t.who.RequestID, IdempotencyKey: key, Generation: s.Generation, State: set.TaskQueued, Revision: 1, CreatedAt: time.Now().UTC()}
}

// begin starts the work of a task that was just written.
func (c *Controller) begin(s set.Server, task set.Task, token set.Secret) {
	c.tasks.put(task)
	if token != "" {
		c.mu.Lock()
		c.tokens[s.ID] = token
		c.mu.Unlock()
	}
	c.drive(s.ID)
}

func (c *Controller) forgetToken(serverID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tokens, serverID)
}

// Task implements set.TaskReader.
func (t tenant) Task(ctx context.Context, id string, after uint64) (set.Task, error) {
	deadline := time.NewTimer(taskWait)
	defer deadline.Stop()
	for {
		changed := t.c.tasks.changed(id) // before the look, so that nothing is missed
		task, err := t.c.task(ctx, id)
		if err == nil && task.ProjectID != t.who.ProjectID && !t.who.Admin {
			err = set.ErrNotFound
		}
		if err != nil {
			t.c.tasks.release(id)
			return set.Task{}, wrap("task", id, err)
		}
		if task.Revision > after || task.State.Final() {
			t.c.tasks.release(id)
			return task, nil
		}
		select {
		case <-changed:
		case <-deadline.C:
			return task, nil
		case <-t.c.ctx.Done():
			return task, wrap("task", id, fmt.Errorf("%w: the region is shutting down", set.ErrUnavailable))
		case <-ctx.Done():
			return task, ctx.Err()
		}
	}
}

func (c *Controller) task(ctx context.Context, id string) (set.Task, error) {
	if t, ok := c.tasks.get(id); ok {
		return t, nil
	}
	t, _, err := get[set.Task](ctx, c.cfg.Store, taskKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return t, fmt.Errorf("%w: there is no such task", set.ErrNotFound)
	}
	return t, err
}

// progress shows the steps of a task under way: the region's own come first, the host's follow.
func (c *Controller) progress(id string, steps []set.Step) {
	if id == "" {
		return
	}
	c.tasks.update(id, func(t *set.Task) {
		t.State = set.TaskRunning
		t.Steps = append(regionSteps(t.Steps), steps...)
	})
}

// regionSteps are the leading steps that no host reported.
func regionSteps(steps []set.Step) []set.Step {
	n := 0
	for n < len(steps) && isRegionStep(steps[n].Name) {
		n++
	}
	return append([]set.Step(nil), steps[:n]...)
}

func isRegionStep(name string) bool {
	return name == stepImages || name == stepSchedule || name == stepObserve
}

// endTask adds the outcome to the Txn that brings it about; nil is success. What it returns is called once
// the Txn is committed.
func (c *Controller) endTask(ctx context.Context, id string, fault *set.Fault, txn *store.Txn) (committed func(), err error) {
	if id == "" {
		return func() {}, nil
	}
	t, err := c.task(ctx, id)
	if errors.Is(err, set.ErrNotFound) || err == nil && t.State.Final() {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	t.State, t.Fault, t.EndedAt = set.TaskDone, fault, time.Now().UTC()
	if fault != nil {
		t.State = set.TaskFailed
	}
	t.Revision++
	txn.Put(taskKey(id), encode(t))
	return func() { c.tasks.drop(id) }, nil
}

// pruneTasks deletes tasks that ended long ago, with their idempotency keys.
func (c *Controller) pruneTasks(now time.Time) {
	tasks, err := all[set.Task](c.ctx, c.cfg.Store, "task/")
	if err != nil {
		return
	}
	for _, t := range tasks {
		if !t.State.Final() || now.Sub(t.EndedAt) < c.cfg.KeepTasks {
			continue
		}
		var txn store.Txn
		txn.Delete(taskKey(t.ID))
		if t.IdempotencyKey != "" {
			txn.Delete(idemKey(t.ProjectID, t.IdempotencyKey))
		}
		if _, err := c.cfg.Store.Commit(c.ctx, txn); err != nil {
			return
		}
	}
}
