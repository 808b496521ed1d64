package controller_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestFailedCreateGivesBackHostAndAddressAndKeepsItsName(t *testing.T) {
	r := newRegion(t, nil)
	f, m := r.fakes(t, "host-1", 1)
	refuse := fmt.Errorf("%w: no such volume driver", set.ErrInvalid)
	fail := func(task set.Task, err error) {
		t.Helper()
		require.NoError(t, err)
		ended := end(t, r.mine(), task.ID)
		require.Equal(t, set.TaskFailed, ended.State)
		assert.Equal(t, "invalid", ended.Fault.Code)
		assert.Contains(t, ended.Fault.Message, "no such volume driver")
		s, err := r.mine().Get(t.Context(), "web")
		require.NoError(t, err)
		assert.Equal(t, set.StateFailed, s.Status())
		assert.Empty(t, s.Host)
		assert.Empty(t, s.Addresses)
		assert.Equal(t, ended.Fault, s.Fault)
		r.ledgerHolds(t, 0)
	}
	f.FailNext("Engine.Prepare", 1000, refuse)
	fail(r.mine().Create(t.Context(), request("web")))
	_, err := r.mine().Create(t.Context(), request("web"))
	require.ErrorIs(t, err, set.ErrConflict, "the name stays taken")
	_, err = r.mine().Act(t.Context(), "web", set.Action{Verb: set.VerbStop})
	require.ErrorIs(t, err, set.ErrConflict)
	fail(r.mine().Act(t.Context(), "web", set.Action{Verb: set.VerbStart}))

	f.Mend()
	task, err := r.mine().Act(t.Context(), "web", set.Action{Verb: set.VerbStart})
	done(t, r.mine(), task, err)
	r.ledgerHolds(t, 1)
	s, err := r.mine().Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Nil(t, s.Fault)

	task, err = r.mine().Delete(t.Context(), "web", set.DeleteOptions{})
	done(t, r.mine(), task, err)
	nothingIsLeft(t, r, m)
	task, err = r.mine().Create(t.Context(), request("web"))
	done(t, r.mine(), task, err)
}

func TestDeletingAFailedCreateFreesItsName(t *testing.T) {
	r := newRegion(t, nil)
	f, m := r.fakes(t, "host-1", 1)
	f.Images.Missing(settest.Digest("c"))
	task, err := r.mine().Create(t.Context(), request("web"))
	require.NoError(t, err)
	require.Equal(t, set.TaskFailed, end(t, r.mine(), task.ID).State)
	task, err = r.mine().Delete(t.Context(), "web", set.DeleteOptions{})
	done(t, r.mine(), task, err)
	nothingIsLeft(t, r, m)
}

func TestFailedStartKeepsHostAndAddress(t *testing.T) {
	r := newRegion(t, nil)
	f, _ := r.fakes(t, "host-1", 1)
	task, err := r.mine().Create(t.Context(), request("web"))
	done(t, r.mine(), task, err)
	before, err := r.mine().Get(t.Context(), "web")
	require.NoError(t, err)
	task, err = r.mine().Act(t.Context(), "web", set.Action{Verb: set.VerbStop})
	done(t, r.mine(), task, err)
	f.FailNext("Engine.Start", 1000, fmt.Errorf("%w: no", set.ErrInvalid))
	f.FailNext("Engine.Prepare", 1000, fmt.Errorf("%w: no", set.ErrInvalid))
	task, err = r.mine().Act(t.Context(), "web", set.Action{Verb: set.VerbStart})
	require.NoError(t, err)
	require.Equal(t, set.TaskFailed, end(t, r.mine(), task.ID).State)
	after, err := r.mine().Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, before.Host, after.Host)
	assert.Equal(t, before.Addresses, after.Addresses)
	r.ledgerHolds(t, 1)
}

func TestDeleteEndsACreateUnderWay(t *testing.T) {
	r := newRegion(t, nil)
	f, m := r.fakes(t, "host-1", 1)
	release := f.Block("Images.Ensure")
	defer release()
	create, err := r.mine().Create(t.Context(), request("web"))
	require.NoError(t, err)
	eventually(t, "pulling", func() bool { return f.Calls("Images.Ensure") > 0 })
	remove, err := r.mine().Delete(t.Context(), "web", set.DeleteOptions{})
	require.NoError(t, err)
	create = end(t, r.mine(), create.ID)
	assert.Equal(t, set.TaskFailed, create.State)
	assert.Equal(t, "conflict", create.Fault.Code)
	assert.Equal(t, "the server was deleted meanwhile", create.Fault.Message)
	release()
	done(t, r.mine(), remove, nil)
	nothingIsLeft(t, r, m)
}

func TestHostThatRefusesForGoodFailsTheTask(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"invalid":     {fmt.Errorf("%w: containers: too many", set.ErrInvalid), "invalid"},
		"conflict":    {fmt.Errorf("%w: a newer generation is known", set.ErrConflict), "conflict"},
		"stale epoch": {set.ErrStaleEpoch, "stale_epoch"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegion(t, nil)
			_, m, a := r.scripted(t, "host-1", 1)
			a.script(func(context.Context, set.Agent, set.Assignment) (set.Observation, error) {
				return set.Observation{}, c.err
			}, nil)
			task, err := r.mine().Create(t.Context(), request("web"))
			require.NoError(t, err)
			task = end(t, r.mine(), task.ID)
			require.Equal(t, set.TaskFailed, task.State)
			assert.Equal(t, c.code, task.Fault.Code)
			nothingButTheName(t, r, m)
		})
	}
}

func nothingButTheName(t *testing.T, r *region, m *set.Manager) {
	t.Helper()
	r.ledgerHolds(t, 0)
	list, err := m.Observe(t.Context())
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestHostThatAnswersNonsenseIsAskedAgain(t *testing.T) {
	r := newRegion(t, nil)
	_, m, a := r.scripted(t, "host-1", 1)
	calls := 0
	a.script(func(ctx context.Context, next set.Agent, as set.Assignment) (set.Observation, error) {
		switch calls++; calls {
		case 1:
			return set.Observation{}, errors.New("not JSON")
		case 2: // of a server that does not exist, with steps and a state nobody knows
			o := set.Observation{ServerID: "nobody", Observed: set.Observed{State: "dancing", Epoch: 99, At: time.Now()}}
			_, _ = next.Apply(ctx, as)
			return o, nil
		}
		return next.Apply(ctx, as)
	}, nil)
	task, err := r.mine().Create(t.Context(), request("web"))
	done(t, r.mine(), task, err)
	oneRuns(t, r, m, task)
}
