package controller_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set"
)

func TestTaskReaderWakesAtOnce(t *testing.T) {
	r := newRegion(t, nil)
	f, _ := r.fakes(t, "host-1", 1)
	release := f.Block("Engine.Start")
	defer release()
	task, err := r.mine().Create(t.Context(), request("web"))
	require.NoError(t, err)
	eventually(t, "starting", func() bool { return f.Calls("Engine.Start") > 0 })
	released := make(chan time.Time, 1)
	time.AfterFunc(50*time.Millisecond, func() { released <- time.Now(); release() })
	done(t, r.mine(), task, nil)
	assert.Less(t, time.Since(<-released), 200*time.Millisecond)
}

func TestTaskTellsTheStepsOfRegionAndHost(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 1)
	task, err := r.mine().Create(t.Context(), request("web"))
	task = done(t, r.mine(), task, err)
	require.Greater(t, len(task.Steps), 2)
	assert.Equal(t, "check images", task.Steps[0].Name)
	assert.Equal(t, "schedule", task.Steps[1].Name)
	assert.Equal(t, "host host-1", task.Steps[1].Message)
	assert.Equal(t, "req-1", task.RequestID)
	assert.Equal(t, "user-1", task.UserID)
}

func TestTaskOfAnotherProjectIsNotThere(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 1)
	task, err := r.mine().Create(t.Context(), request("web"))
	done(t, r.mine(), task, err)
	_, err = r.For(controller.Caller{ProjectID: "project-2"}).(set.TaskReader).Task(t.Context(), task.ID, 0)
	assert.ErrorIs(t, err, set.ErrNotFound)
	_, err = r.For(controller.Caller{ProjectID: "admins", Admin: true}).(set.TaskReader).Task(t.Context(), task.ID, 0)
	assert.NoError(t, err)
}

func TestWaitingReaderHearsThatTheRegionShutsDown(t *testing.T) {
	r := newRegion(t, nil)
	f, _ := r.fakes(t, "host-1", 1)
	release := f.Block("Images.Ensure")
	defer release()
	task, err := r.mine().Create(t.Context(), request("web"))
	require.NoError(t, err)
	heard := make(chan error, 1)
	mine := r.mine().(set.TaskReader)
	go func() {
		_, err := mine.Task(context.Background(), task.ID, 1<<60)
		heard <- err
	}()
	require.NoError(t, r.Close())
	assert.ErrorIs(t, <-heard, set.ErrUnavailable)
}

func TestOldTasksAreForgottenWithTheirKeys(t *testing.T) {
	r := newRegion(t, func(c *controller.Config) { c.KeepTasks = 24 * time.Millisecond })
	r.fakes(t, "host-1", 1)
	q := request("web")
	q.IdempotencyKey = "key-1"
	task, err := r.mine().Create(t.Context(), q)
	done(t, r.mine(), task, err)
	eventually(t, "forgotten", func() bool {
		keys, err := r.store.List(t.Context(), "idempotency/", "", 0)
		require.NoError(t, err)
		tasks, err := r.store.List(t.Context(), "task/", "", 0)
		require.NoError(t, err)
		return len(keys) == 0 && len(tasks) == 0
	})
	_, err = r.mine().(set.TaskReader).Task(t.Context(), task.ID, 0)
	assert.ErrorIs(t, err, set.ErrNotFound)
}

func TestTaskUnderWayIsNotForgotten(t *testing.T) {
	r := newRegion(t, func(c *controller.Config) { c.KeepTasks = time.Nanosecond })
	f, _ := r.fakes(t, "host-1", 1)
	release := f.Block("Images.Ensure")
	defer release()
	task, err := r.mine().Create(t.Context(), request("web"))
	require.NoError(t, err)
	time.Sleep(1100 * time.Millisecond) // old tasks are looked for every second
	now, err := r.mine().(set.TaskReader).Task(t.Context(), task.ID, 0)
	require.NoError(t, err)
	assert.False(t, now.State.Final())
}

// atOnce calls do 20 times at the same time and returns the tasks; all have to succeed.
func atOnce(t *testing.T, do func() (set.Task, error)) map[string]bool {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]bool{}
	for range 20 {
		all.Go(func() {
			task, err := do()
			mu.Lock()
			defer mu.Unlock()
			assert.NoError(t, err)
			ids[task.ID] = true
		})
	}
	all.Wait()
	return ids
}

func TestSameKeyAtTheSameTimeIsOneTask(t *testing.T) {
	r := newRegion(t, nil)
	f, m := r.fakes(t, "host-1", 10)
	only := func(ids map[string]bool) {
		t.Helper()
		require.Len(t, ids, 1)
		for id := range ids {
			require.Equal(t, set.TaskDone, end(t, r.mine(), id).State)
		}
	}
	q := request("web")
	q.IdempotencyKey = "create"
	only(atOnce(t, func() (set.Task, error) { return r.mine().Create(t.Context(), q) }))
	r.ledgerHolds(t, 1)
	for _, a := range []set.Action{{Verb: set.VerbStop, IdempotencyKey: "stop"}, {Verb: set.VerbStart, IdempotencyKey: "start"}, {Verb: set.VerbSync, IdempotencyKey: "sync"}} {
		only(atOnce(t, func() (set.Task, error) { return r.mine().Act(t.Context(), "web", a) }))
	}
	f.SetLatency(time.Millisecond)
	only(atOnce(t, func() (set.Task, error) {
		return r.mine().Delete(t.Context(), "web", set.DeleteOptions{IdempotencyKey: "delete"})
	}))
	nothingIsLeft(t, r, m)
}

func TestStartsAtOnceOfAFailedServerPlaceItOnce(t *testing.T) {
	r := newRegion(t, nil)
	f, m := r.fakes(t, "host-1", 10)
	f.FailNext("Engine.Prepare", 1000, set.ErrInvalid)
	task, err := r.mine().Create(t.Context(), request("web"))
	require.NoError(t, err)
	require.Equal(t, set.TaskFailed, end(t, r.mine(), task.ID).State)
	f.Mend()
	var all sync.WaitGroup
	started := make(chan set.Task, 20)
	release := f.Block("Images.Ensure")
	for range 20 {
		all.Go(func() {
			if task, err := r.mine().Act(t.Context(), "web", set.Action{Verb: set.VerbStart}); err == nil {
				started <- task
			} else {
				assert.ErrorIs(t, err, set.ErrConflict)
			}
		})
	}
	all.Wait()
	release()
	require.Len(t, started, 1)
	oneRuns(t, r, m, <-started)
}

func TestKeyIsTheProjects(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 10)
	q := request("web")
	q.IdempotencyKey = "key"
	task, err := r.mine().Create(t.Context(), q)
	done(t, r.mine(), task, err)
	theirs := r.For(controller.Caller{ProjectID: "project-2"})
	other, err := theirs.Create(t.Context(), q)
	done(t, theirs, other, err)
	assert.NotEqual(t, task.ID, other.ID)
}
