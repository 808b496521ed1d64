package settest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

func numbered(i int) string { return fmt.Sprintf("web-%02d", i) }

func inParallel(n int, do func(i int)) {
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() { do(i) })
	}
	work.Wait()
}

// verbs are all uses of a server by ref.
func verbs(t *testing.T, c set.Controller, ref string) map[string]error {
	errs := map[string]error{}
	_, errs["get"] = c.Get(t.Context(), ref)
	_, errs["delete"] = c.Delete(t.Context(), ref, set.DeleteOptions{})
	for _, v := range []set.Verb{set.VerbStart, set.VerbStop, set.VerbSync} {
		_, errs[string(v)] = c.Act(t.Context(), ref, set.Action{Verb: v})
	}
	return errs
}

func controllerOtherProject(t *testing.T, f ControllerFixture) {
	task, err := f.Mine.Create(t.Context(), f.request("web"))
	done(t, f.Mine, task, err)
	for _, ref := range []string{task.ServerID, "web"} {
		for verb, err := range verbs(t, f.Theirs, ref) {
			assert.ErrorIs(t, err, set.ErrNotFound, "%s of %s", verb, ref)
		}
	}
	page, err := f.Theirs.List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, page.Servers)
	_, err = f.Theirs.(set.TaskReader).Task(t.Context(), task.ID, 0)
	require.ErrorIs(t, err, set.ErrNotFound)
	s, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.StateRunning, s.Status())
}

func controllerUnknown(t *testing.T, f ControllerFixture) {
	for verb, err := range verbs(t, f.Mine, "nobody") {
		assert.ErrorIs(t, err, set.ErrNotFound, verb)
	}
	_, err := f.Mine.(set.TaskReader).Task(t.Context(), "nothing", 0)
	require.ErrorIs(t, err, set.ErrNotFound)
}

func controllerLongNames(t *testing.T, f ControllerFixture) {
	req := f.request(strings.Repeat("n", 63))
	req.Spec.Containers[0].Name = strings.Repeat("c", 40)
	s := f.create(t, req)
	assert.Equal(t, req.Name, s.Name)
	assert.Equal(t, req.Spec.Containers[0].Name, s.Observed.Containers[1].Name)
	task, err := f.Mine.Delete(t.Context(), req.Name, set.DeleteOptions{})
	done(t, f.Mine, task, err)
	req.Name += "n"
	_, err = f.Mine.Create(t.Context(), req)
	require.ErrorIs(t, err, set.ErrInvalid)
}

func controllerTwoProjects(t *testing.T, f ControllerFixture) {
	mine := f.create(t, f.request("web"))
	task, err := f.Theirs.Create(t.Context(), f.request("web"))
	done(t, f.Theirs, task, err)
	theirs, err := f.Theirs.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.NotEqual(t, mine.ID, theirs.ID)
	assert.NotEqual(t, mine.ProjectID, theirs.ProjectID)
}

func controllerNameTaken(t *testing.T, f ControllerFixture) {
	s := f.create(t, f.request("web"))
	_, err := f.Mine.Create(t.Context(), f.request("web"))
	require.ErrorIs(t, err, set.ErrConflict)
	assert.ErrorContains(t, err, "web")
	task, err := f.Mine.Delete(t.Context(), "web", set.DeleteOptions{})
	done(t, f.Mine, task, err)
	assert.NotEqual(t, s.ID, f.create(t, f.request("web")).ID)
}

func controllerUnknownImage(t *testing.T, f ControllerFixture) {
	req := f.request("web")
	req.Spec.Containers[0].Image = "missing:1"
	_, err := f.Mine.Create(t.Context(), req)
	require.ErrorIs(t, err, set.ErrNotFound)
	assert.ErrorContains(t, err, "missing:1")
	f.create(t, f.request("web")) // the name was not kept
}

func controllerInvalid(t *testing.T, f ControllerFixture) {
	for field, spoil := range map[string]func(*set.CreateRequest){
		"name":                         func(r *set.CreateRequest) { r.Name = "Web" },
		"labels":                       func(r *set.CreateRequest) { r.Labels = map[string]string{"": "x"} },
		"desired":                      func(r *set.CreateRequest) { r.Desired = set.DesiredAbsent },
		"containers":                   func(r *set.CreateRequest) { r.Spec.Containers = nil },
		"containers[0].name":           func(r *set.CreateRequest) { r.Spec.Containers[0].Name = "infra" },
		"containers[0].mounts[0].path": func(r *set.CreateRequest) { r.Spec.Containers[0].Mounts[0].Path = "data" },
	} {
		req := f.request("web")
		spoil(&req)
		_, err := f.Mine.Create(t.Context(), req)
		assert.ErrorIs(t, err, set.ErrInvalid, field)
		assert.ErrorContains(t, err, field+":")
	}
	page, err := f.Mine.List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, page.Servers)
}

func controllerUnknownVerb(t *testing.T, f ControllerFixture) {
	f.create(t, f.request("web"))
	for _, verb := range []set.Verb{"", "explode", set.VerbCreate, set.VerbDelete} {
		_, err := f.Mine.Act(t.Context(), "web", set.Action{Verb: verb})
		assert.ErrorIs(t, err, set.ErrInvalid, "%q", verb)
	}
}

func controllerBusy(t *testing.T, f ControllerFixture) {
	release := f.Host.Block("Engine.Prepare")
	defer release()
	task, err := f.Mine.Create(t.Context(), f.request("web"))
	require.NoError(t, err)
	for _, verb := range []set.Verb{set.VerbStart, set.VerbStop} {
		_, err = f.Mine.Act(t.Context(), "web", set.Action{Verb: verb})
		assert.ErrorIs(t, err, set.ErrConflict, verb)
	}
	release()
	done(t, f.Mine, task, nil)
}

func controllerReadOnly(t *testing.T, f ControllerFixture) {
	s := f.create(t, f.request("web"))
	if f.ReadOnly == nil {
		return // no such callers here
	}
	_, err := f.ReadOnly.Create(t.Context(), f.request("other"))
	require.ErrorIs(t, err, set.ErrForbidden)
	for verb, err := range verbs(t, f.ReadOnly, "web") {
		if verb == "get" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorIs(t, err, set.ErrForbidden, verb)
	}
	after, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, s.Generation, after.Generation)
}

func controllerDeletes(t *testing.T, f ControllerFixture) {
	s := f.create(t, f.request("web"))
	task, err := f.Mine.Delete(t.Context(), "web", set.DeleteOptions{})
	assert.Equal(t, set.VerbDelete, task.Verb)
	assert.Equal(t, s.ID, task.ServerID)
	done(t, f.Mine, task, err)
	_, err = f.Mine.Get(t.Context(), s.ID)
	require.ErrorIs(t, err, set.ErrNotFound)
	_, err = f.Mine.Delete(t.Context(), s.ID, set.DeleteOptions{})
	require.ErrorIs(t, err, set.ErrNotFound)
	assert.Empty(t, f.Host.Left(s.ID))
}

func controllerDeletesTwice(t *testing.T, f ControllerFixture) {
	s := f.create(t, f.request("web"))
	release := f.Host.Block("Engine.Remove")
	defer release()
	first, err := f.Mine.Delete(t.Context(), "web", set.DeleteOptions{})
	require.NoError(t, err)
	second, err := f.Mine.Delete(t.Context(), s.ID, set.DeleteOptions{})
	require.NoError(t, err)
	assert.Equal(t, first.ID, second.ID)
	now, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.StateDeleting, now.Status())
	_, err = f.Mine.Act(t.Context(), "web", set.Action{Verb: set.VerbStart})
	require.ErrorIs(t, err, set.ErrConflict)
	release()
	done(t, f.Mine, first, nil)
}

func controllerDeletesEarly(t *testing.T, f ControllerFixture) {
	release := f.Host.Block("Images.Ensure")
	defer release()
	made, err := f.Mine.Create(t.Context(), f.request("web"))
	require.NoError(t, err)
	deleted, err := f.Mine.Delete(t.Context(), "web", set.DeleteOptions{})
	done(t, f.Mine, deleted, err)
	end := finish(t, f.Mine, made)
	assert.Equal(t, set.TaskFailed, end.State)
	require.NotNil(t, end.Fault)
	assert.Equal(t, "conflict", end.Fault.Code)
	assert.Empty(t, f.Host.Left(made.ServerID))
}
