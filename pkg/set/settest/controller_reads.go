package settest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

func names(p set.Page) []string {
	list := []string{}
	for _, s := range p.Servers {
		list = append(list, s.Name)
	}
	return list
}

func controllerPages(t *testing.T, f ControllerFixture) {
	want := []string{"e", "d", "c", "b", "a"}
	for _, name := range want {
		f.create(t, f.request(name))
	}
	all, err := f.Mine.List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	assert.Equal(t, want, names(all))
	assert.Empty(t, all.Next)

	var seen []string
	opts := set.ListOptions{Limit: 2}
	for pages := 1; ; pages++ {
		page, err := f.Mine.List(t.Context(), opts)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Servers), 2)
		seen = append(seen, names(page)...)
		if page.Next == "" {
			assert.Equal(t, 3, pages)
			break
		}
		require.Less(t, pages, 9, "the pages do not end")
		opts.Marker = page.Next
	}
	assert.Equal(t, want, seen)
	exact, err := f.Mine.List(t.Context(), set.ListOptions{Limit: 5})
	require.NoError(t, err)
	assert.Empty(t, exact.Next, "no page follows a full last one")
}

func controllerFilters(t *testing.T, f ControllerFixture) {
	for i, labels := range []map[string]string{{"tier": "front"}, {"tier": "back", "zone": "a"}, {"tier": "back"}} {
		req := f.request(numbered(i))
		req.Labels = labels
		if i == 2 {
			req.Desired = set.DesiredStopped
		}
		f.create(t, req)
	}
	for what, c := range map[string]struct {
		opts set.ListOptions
		want []string
	}{
		"a name":               {set.ListOptions{Name: "web-01"}, []string{"web-01"}},
		"no such name":         {set.ListOptions{Name: "web"}, []string{}},
		"a label":              {set.ListOptions{Labels: map[string]string{"tier": "back"}}, []string{"web-01", "web-02"}},
		"two labels":           {set.ListOptions{Labels: map[string]string{"tier": "back", "zone": "a"}}, []string{"web-01"}},
		"a status":             {set.ListOptions{Status: set.StateStopped}, []string{"web-02"}},
		"a status and a label": {set.ListOptions{Status: set.StateRunning, Labels: map[string]string{"tier": "back"}}, []string{"web-01"}},
	} {
		page, err := f.Mine.List(t.Context(), c.opts)
		require.NoError(t, err, what)
		assert.Equal(t, c.want, names(page), what)
	}
	first, err := f.Mine.List(t.Context(), set.ListOptions{Labels: map[string]string{"tier": "back"}, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []string{"web-01"}, names(first))
	second, err := f.Mine.List(t.Context(), set.ListOptions{Labels: map[string]string{"tier": "back"}, Limit: 1, Marker: first.Next})
	require.NoError(t, err)
	assert.Equal(t, []string{"web-02"}, names(second))
	assert.Empty(t, second.Next)
}

func controllerTaskWaits(t *testing.T, f ControllerFixture) {
	release := f.Host.Block("Engine.Prepare")
	defer release()
	task, err := f.Mine.Create(t.Context(), f.request("web"))
	require.NoError(t, err)
	reader := f.Mine.(set.TaskReader)
	now, err := reader.Task(t.Context(), task.ID, 0)
	require.NoError(t, err, "revision 0 is answered at once")
	assert.False(t, now.State.Final())
	time.AfterFunc(20*time.Millisecond, release)
	for !now.State.Final() {
		next, err := reader.Task(t.Context(), task.ID, now.Revision)
		require.NoError(t, err)
		require.True(t, next.Revision > now.Revision || next.State.Final(), "an answer brings news")
		now = next
	}
	assert.Equal(t, set.TaskDone, now.State)
	again, err := reader.Task(t.Context(), task.ID, now.Revision+100)
	require.NoError(t, err, "a finished task is answered at once")
	assert.Equal(t, now, again)
}

func controllerTaskContext(t *testing.T, f ControllerFixture) {
	release := f.Host.Block("Engine.Prepare")
	defer release()
	task, err := f.Mine.Create(t.Context(), f.request("web"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = f.Mine.(set.TaskReader).Task(ctx, task.ID, 1<<40)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	release()
	done(t, f.Mine, task, nil)
}

func controllerWait(t *testing.T, f ControllerFixture) {
	task, err := f.Mine.Create(t.Context(), f.request("web"))
	require.NoError(t, err)
	var last uint64
	end, err := set.Wait(t.Context(), f.Mine.(set.TaskReader), task.ID, func(now set.Task) {
		assert.Greater(t, now.Revision, last)
		last = now.Revision
	})
	require.NoError(t, err)
	assert.Equal(t, set.TaskDone, end.State)
	assert.Equal(t, last, end.Revision)
	steps := map[string]bool{}
	for _, s := range end.Steps {
		steps[s.Name] = true
	}
	assert.True(t, steps["network"] && steps["start"], "the task tells the host's steps: %v", steps)
}

func controllerIdempotent(t *testing.T, f ControllerFixture) {
	req := f.request("web")
	req.IdempotencyKey = "key-1"
	first, err := f.Mine.Create(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, "key-1", first.IdempotencyKey)
	second, err := f.Mine.Create(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, first.ID, second.ID)
	done(t, f.Mine, first, nil)

	stop := set.Action{Verb: set.VerbStop, IdempotencyKey: "key-2"}
	one, err := f.Mine.Act(t.Context(), "web", stop)
	done(t, f.Mine, one, err)
	two, err := f.Mine.Act(t.Context(), "web", stop)
	require.NoError(t, err)
	assert.Equal(t, one.ID, two.ID)

	one, err = f.Mine.Delete(t.Context(), "web", set.DeleteOptions{IdempotencyKey: "key-3"})
	done(t, f.Mine, one, err)
	two, err = f.Mine.Delete(t.Context(), "web", set.DeleteOptions{IdempotencyKey: "key-3"})
	require.NoError(t, err, "the answer to a repeated delete does not depend on how far the first one is")
	assert.Equal(t, one.ID, two.ID)
	theirs, err := f.Theirs.Create(t.Context(), req)
	require.NoError(t, err, "keys of two projects do not meet")
	assert.NotEqual(t, first.ID, theirs.ID)
	done(t, f.Theirs, theirs, nil)
}

func controllerIdempotencyConflict(t *testing.T, f ControllerFixture) {
	req := f.request("web")
	req.IdempotencyKey = "key-1"
	task, err := f.Mine.Create(t.Context(), req)
	done(t, f.Mine, task, err)
	req.Name = "other"
	_, err = f.Mine.Create(t.Context(), req)
	require.ErrorIs(t, err, set.ErrConflict)
	_, err = f.Mine.Act(t.Context(), "web", set.Action{Verb: set.VerbStop, IdempotencyKey: "key-1"})
	require.ErrorIs(t, err, set.ErrConflict)
	s, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.DesiredRunning, s.Desired)
}
