package set_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestSpecHashIsStable(t *testing.T) {
	assert.Equal(t, "bebd0fa90b25f28d8f2427b839abbc8b", set.SpecHash(settest.Assignment("s1")),
		"containers of older releases carry this hash: another one would replace them all")
}

func TestSpecHashCountsWhatContainersAreMadeOf(t *testing.T) {
	base := set.SpecHash(settest.Assignment("s1"))
	for name, c := range map[string]struct {
		change func(*set.Assignment)
		same   bool
	}{
		"generation": {func(a *set.Assignment) { a.Generation++ }, true},
		"epoch":      {func(a *set.Assignment) { a.Epoch++ }, true},
		"desired":    {func(a *set.Assignment) { a.Desired = set.DesiredStopped }, true},
		"token":      {func(a *set.Assignment) { a.PullToken = "t" }, true},
		"grace":      {func(a *set.Assignment) { a.Grace = 1 }, true},
		"name":       {func(a *set.Assignment) { a.Name = "x" }, false},
		"image":      {func(a *set.Assignment) { a.Images["app"] = set.Image{Digest: settest.Digest("c")} }, false},
		"address":    {func(a *set.Assignment) { a.Addresses[0].MTU++ }, false},
		"arguments":  {func(a *set.Assignment) { a.Spec.Containers[0].Args = []string{"x"} }, false},
	} {
		a := settest.Assignment("s1")
		c.change(&a)
		assert.Equal(t, c.same, base == set.SpecHash(a), name)
	}
	assert.Equal(t, set.SpecHash(set.Assignment{}), set.SpecHash(set.Assignment{Addresses: []set.Address{}, Images: map[string]set.Image{}}))
}

func TestSpecHashSurvivesJSON(t *testing.T) {
	a := settest.Assignment("s1")
	b, err := json.Marshal(a)
	require.NoError(t, err)
	var back set.Assignment
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, set.SpecHash(a), set.SpecHash(back))
}

func TestServerStatus(t *testing.T) {
	running := set.Observed{State: set.StateRunning}
	for want, s := range map[set.State]set.Server{
		set.StatePending:   {},
		set.StateScheduled: {Host: "h"},
		set.StateRunning:   {Host: "h", Observed: running},
		set.StateFailed:    {Fault: &set.Fault{}},
		set.StateDeleting:  {Desired: set.DesiredAbsent, Observed: running},
		set.StateDeleted:   {Desired: set.DesiredAbsent, Observed: set.Observed{State: set.StateDeleted}},
		set.StateUnknown:   {Presence: set.PresenceUnknown, Observed: running},
		set.StateLost:      {Presence: set.PresenceLost, Observed: running},
	} {
		assert.Equal(t, want, s.Status())
	}
}

func TestServerSettled(t *testing.T) {
	for d, state := range map[set.Desired]set.State{
		set.DesiredRunning: set.StateRunning, set.DesiredStopped: set.StateStopped,
		set.DesiredSuspended: set.StateSuspended, set.DesiredAbsent: set.StateDeleted,
	} {
		s := set.Server{Desired: d, Generation: 2, Epoch: 3, Observed: set.Observed{State: state, Generation: 2, Epoch: 3}}
		assert.True(t, s.Settled(), d)
		s.Observed.Generation = 1
		assert.False(t, s.Settled(), d)
		s.Observed.Generation, s.Observed.Epoch = 2, 2
		assert.False(t, s.Settled(), d)
		s.Observed.Epoch, s.Observed.State = 3, set.StateDegraded
		assert.False(t, s.Settled(), d)
	}
}

func TestCodesKeepTheSentinel(t *testing.T) {
	for _, err := range []error{set.ErrInvalid, set.ErrUnauthenticated, set.ErrForbidden, set.ErrNotFound, set.ErrConflict,
		set.ErrStaleEpoch, set.ErrNoCapacity, set.ErrUnavailable} {
		deep := &set.Error{Op: "x", ID: "y", Err: fmt.Errorf("%w: because", err)}
		assert.Equal(t, err, set.ErrorOf(set.Code(deep)), err)
	}
	assert.Equal(t, "internal", set.Code(errors.New("x")))
	assert.NoError(t, set.ErrorOf("internal"))
	assert.Equal(t, "unavailable", set.Code(context.DeadlineExceeded))
}

func TestErrorIsOneSentence(t *testing.T) {
	err := error(&set.Error{Op: "create", ID: "web", Err: set.ErrConflict})
	assert.EqualError(t, err, "create web: conflict")
	require.ErrorIs(t, err, set.ErrConflict)
	assert.EqualError(t, &set.Error{Op: "list", Err: set.ErrUnavailable}, "list: unavailable")
	now := time.Now()
	assert.Equal(t, &set.Fault{Code: "conflict", Message: "create web: conflict", At: now}, set.NewFault(err, now))
}

// scripted answers Task with one version after the other.
type scripted struct {
	versions []set.Task
	err      error
}

func (s *scripted) Task(context.Context, string, uint64) (set.Task, error) {
	if len(s.versions) == 0 {
		return set.Task{}, s.err
	}
	next := s.versions[0]
	if len(s.versions) > 1 {
		s.versions = s.versions[1:]
	}
	return next, nil
}

func TestWaitFollowsATaskToItsEnd(t *testing.T) {
	running := set.Task{State: set.TaskRunning, Revision: 1}
	var seen []uint64
	each := func(t set.Task) { seen = append(seen, t.Revision) }
	end, err := set.Wait(t.Context(), &scripted{versions: []set.Task{running, running, {State: set.TaskFailed, Revision: 4}}}, "t", each)
	require.NoError(t, err)
	assert.Equal(t, set.TaskFailed, end.State)
	assert.Equal(t, []uint64{1, 4}, seen)

	_, err = set.Wait(t.Context(), &scripted{err: set.ErrNotFound}, "t", nil)
	require.ErrorIs(t, err, set.ErrNotFound)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = set.Wait(ctx, &scripted{versions: []set.Task{running}}, "t", nil)
	require.ErrorIs(t, err, context.Canceled)
}
