package controller_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestCreateGoesOnAfterARestart(t *testing.T) {
	away := fmt.Errorf("%w: the host is away", set.ErrUnavailable)
	for name, apply := range map[string]func(context.Context, set.Agent, set.Assignment) (set.Observation, error){
		"before the host heard": func(context.Context, set.Agent, set.Assignment) (set.Observation, error) {
			return set.Observation{}, away
		},
		"before the host answered": func(ctx context.Context, next set.Agent, a set.Assignment) (set.Observation, error) {
			_, _ = next.Apply(ctx, a)
			return set.Observation{}, away
		},
		"while the host was asked": func(ctx context.Context, _ set.Agent, _ set.Assignment) (set.Observation, error) {
			<-ctx.Done()
			return set.Observation{}, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegion(t, nil)
			f, m, a := r.scripted(t, "host-1", 10)
			release := f.Block("Images.Ensure")
			defer release()
			var asked atomic.Int64
			a.script(func(ctx context.Context, next set.Agent, as set.Assignment) (set.Observation, error) {
				asked.Add(1)
				return apply(ctx, next, as)
			}, nil)
			task, err := r.mine().Create(t.Context(), request("web"))
			require.NoError(t, err)
			eventually(t, "asked", func() bool { return asked.Load() > 0 })
			r.reopen(t, func() { a.script(nil, nil); release() })
			oneRuns(t, r, m, task)
		})
	}
}

func TestCreateGoesOnAfterARestartMidWay(t *testing.T) {
	for _, method := range []string{"Images.Ensure", "Engine.Prepare", "Network.Attach", "Engine.Start"} {
		for _, during := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, host finishes while the region is away: %v", method, during), func(t *testing.T) {
				r := newRegion(t, nil)
				f, m := r.fakes(t, "host-1", 10)
				release := f.Block(method)
				defer release()
				task, err := r.mine().Create(t.Context(), request("web"))
				require.NoError(t, err)
				eventually(t, method, func() bool { return f.Calls(method) > 0 })
				r.reopen(t, func() {
					if during {
						release()
						settest.AwaitState(t, m, task.ServerID, 1, set.StateRunning)
					}
				})
				release()
				oneRuns(t, r, m, task)
			})
		}
	}
}

// oneRuns checks that a create came to its one end.
func oneRuns(t *testing.T, r *region, m *set.Manager, task set.Task) {
	t.Helper()
	done(t, r.mine(), task, nil)
	page, err := r.mine().List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	require.Len(t, page.Servers, 1)
	assert.Equal(t, set.StateRunning, page.Servers[0].Status())
	assert.Empty(t, page.Servers[0].TaskID)
	onHost, err := m.Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, onHost, 1)
	r.ledgerHolds(t, 1)
}

func TestDeleteGoesOnAfterARestart(t *testing.T) {
	for _, method := range []string{"Engine.Stop", "Network.Detach", "Engine.Remove", "Journal.Delete"} {
		for _, during := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, host finishes while the region is away: %v", method, during), func(t *testing.T) {
				r := newRegion(t, nil)
				f, m := r.fakes(t, "host-1", 10)
				task, err := r.mine().Create(t.Context(), request("web"))
				server := done(t, r.mine(), task, err).ServerID
				before := f.Calls(method)
				release := f.Block(method)
				defer release()
				task, err = r.mine().Delete(t.Context(), "web", set.DeleteOptions{})
				require.NoError(t, err)
				eventually(t, method, func() bool { return f.Calls(method) > before })
				r.reopen(t, func() {
					if during {
						release()
						eventually(t, "gone", func() bool { return len(f.Left(server)) == 0 })
					}
				})
				release()
				done(t, r.mine(), task, nil)
				nothingIsLeft(t, r, m)
				assert.Empty(t, f.Left(server))
			})
		}
	}
}

func nothingIsLeft(t *testing.T, r *region, m *set.Manager) {
	t.Helper()
	page, err := r.mine().List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, page.Servers)
	eventually(t, "the host has nothing", func() bool {
		list, err := m.Observe(t.Context())
		require.NoError(t, err)
		for _, o := range list {
			if o.State != set.StateDeleted {
				return false
			}
		}
		return true
	})
	r.ledgerHolds(t, 0)
}

// dying is a store that takes no more commits after some, as if the region had been killed there.
type dying struct {
	store.Store
	left atomic.Int64
	dead chan struct{}
}

func newDying(s store.Store, commits int64) *dying {
	d := &dying{Store: s, dead: make(chan struct{})}
	d.left.Store(commits)
	return d
}

func (d *dying) Commit(ctx context.Context, t store.Txn) (uint64, error) {
	switch left := d.left.Add(-1); {
	case left == -1:
		close(d.dead)
		fallthrough
	case left < 0:
		return 0, store.ErrUnavailable
	}
	return d.Store.Commit(ctx, t)
}

// A create and then a delete, with the region killed before its first, second, third … write.
func TestRegionKilledAtAnyWriteComesToTheSameEnd(t *testing.T) {
	reached := 0
	for n := range int64(16) {
		t.Run(fmt.Sprintf("after %d writes", n), func(t *testing.T) {
			r := newRegion(t, nil)
			_, m := r.fakes(t, "host-1", 10)
			_, err := r.networks.Get(t.Context(), "project-1", "default")
			require.NoError(t, err)
			require.NoError(t, r.Close())
			d := newDying(r.store, 1000)
			r.openOn(t, d)
			r.report(t)
			d.left.Store(n)

			var deleted set.Task
			created, err := r.mine().Create(t.Context(), request("web"))
			if err != nil {
				assert.ErrorIs(t, err, set.ErrUnavailable)
			} else if waitOrDead(t, r, d, created) {
				deleted, err = r.mine().Delete(t.Context(), "web", set.DeleteOptions{})
				if err == nil {
					waitOrDead(t, r, d, deleted)
				}
			}
			r.reopen(t, nil)
			switch {
			case deleted.ID != "":
				assert.Equal(t, set.TaskDone, end(t, r.mine(), created.ID).State)
				done(t, r.mine(), deleted, nil)
				nothingIsLeft(t, r, m)
				reached++
			case created.ID != "":
				oneRuns(t, r, m, created)
			default:
				nothingIsLeft(t, r, m)
			}
		})
	}
	assert.Positive(t, reached, "the last rounds get to the delete")
}

// waitOrDead reports whether a task ended before the store died.
func waitOrDead(t *testing.T, r *region, d *dying, task set.Task) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settest.Patience)
	defer cancel()
	go func() {
		select {
		case <-d.dead:
			cancel()
		case <-ctx.Done():
		}
	}()
	task, err := set.Wait(ctx, r.mine().(set.TaskReader), task.ID, nil)
	return err == nil && task.State.Final()
}
