package settest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// ControllerFixture is a region under test, with one host of fakes.
type ControllerFixture struct {
	Mine     set.Controller // of a caller who may write
	Theirs   set.Controller // of a caller in another project
	ReadOnly set.Controller // of a caller in Mine's project who may only look; nil when there are no such callers
	Image    string         // an image that exists; "missing:1" must not
	Host     *Fakes
}

// TestController runs the contract of set.Controller, whose Controllers must be set.TaskReaders too. Every
// part gets a new region without servers.
func TestController(t *testing.T, newRegion func(t *testing.T) ControllerFixture) {
	for name, part := range map[string]func(*testing.T, ControllerFixture){
		"a server is created and runs":                      controllerCreates,
		"names may be as long as they may be":               controllerLongNames,
		"a server is created stopped":                       controllerCreatesStopped,
		"a server stops and starts":                         controllerStopStart,
		"a server is deleted with all it holds":             controllerDeletes,
		"deleting again while deleting is the same task":    controllerDeletesTwice,
		"deleting ends a create under way":                  controllerDeletesEarly,
		"a name is taken until its server is gone":          controllerNameTaken,
		"the same name in two projects is two servers":      controllerTwoProjects,
		"another project's server is not there":             controllerOtherProject,
		"what is unknown is not found":                      controllerUnknown,
		"an image that does not exist is refused at once":   controllerUnknownImage,
		"an invalid request names its field":                controllerInvalid,
		"an unknown verb is invalid":                        controllerUnknownVerb,
		"a verb during a task conflicts":                    controllerBusy,
		"the same key and content is the same task":         controllerIdempotent,
		"the same key with other content conflicts":         controllerIdempotencyConflict,
		"sync-status reads the host":                        controllerSyncs,
		"a failed create says why and frees the name":       controllerFails,
		"a caller who only reads changes nothing":           controllerReadOnly,
		"a list is in order of creation and comes in pages": controllerPages,
		"a list is narrowed":                                controllerFilters,
		"a task is waited for":                              controllerTaskWaits,
		"waiting for a task ends with its context":          controllerTaskContext,
		"waiting sees every revision rise":                  controllerWait,
		"many creates at once all run":                      controllerMany,
		"many creates of one name make one server":          controllerRace,
	} {
		t.Run(name, func(t *testing.T) { part(t, newRegion(t)) })
	}
}

// request asks for a small server.
func (f ControllerFixture) request(name string) set.CreateRequest {
	return set.CreateRequest{Name: name, Spec: set.Spec{Volumes: []set.Volume{{Name: "data"}}, Containers: []set.Container{
		{Name: "app", Image: f.Image, Mounts: []set.Mount{{Volume: "data", Path: "/data"}}}}}}
}

// finish waits for a task's end.
func finish(t *testing.T, c set.Controller, task set.Task) set.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	reader, ok := c.(set.TaskReader)
	require.True(t, ok, "the Controller is no TaskReader")
	end, err := set.Wait(ctx, reader, task.ID, nil)
	require.NoError(t, err)
	require.True(t, end.State.Final())
	assert.False(t, end.EndedAt.IsZero())
	return end
}

// done is finish for a task that must succeed.
func done(t *testing.T, c set.Controller, task set.Task, err error) set.Task {
	t.Helper()
	require.NoError(t, err)
	end := finish(t, c, task)
	require.Equal(t, set.TaskDone, end.State, "%+v", end.Fault)
	require.Nil(t, end.Fault)
	return end
}

// create makes a server and waits until it is as asked for.
func (f ControllerFixture) create(t *testing.T, req set.CreateRequest) set.Server {
	t.Helper()
	task, err := f.Mine.Create(t.Context(), req)
	done(t, f.Mine, task, err)
	s, err := f.Mine.Get(t.Context(), req.Name)
	require.NoError(t, err)
	return s
}

func controllerCreates(t *testing.T, f ControllerFixture) {
	req := f.request("web")
	req.Labels = map[string]string{"tier": "front"}
	task, err := f.Mine.Create(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, set.VerbCreate, task.Verb)
	assert.Equal(t, "web", task.ServerName)
	assert.NotEmpty(t, task.ID)
	early, err := f.Mine.Get(t.Context(), task.ServerID)
	require.NoError(t, err, "the record is there when the request was accepted")
	assert.Equal(t, uint64(1), early.Generation)
	done(t, f.Mine, task, nil)

	s, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, task.ServerID, s.ID)
	assert.Equal(t, set.KindSet, s.Kind)
	assert.Equal(t, task.ProjectID, s.ProjectID)
	assert.Equal(t, req.Labels, s.Labels)
	assert.Equal(t, set.DesiredRunning, s.Desired)
	assert.Equal(t, set.StateRunning, s.Status())
	assert.True(t, s.Settled())
	assert.Empty(t, s.TaskID)
	assert.NotEmpty(t, s.Host)
	assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, s.Images["app"].Digest)
	require.Len(t, s.Addresses, 1)
	assert.True(t, s.Addresses[0].Prefix.IsValid())
	assert.Len(t, s.Observed.Containers, 2)
	port, ok := f.Host.Network.Port(s.ID)
	require.True(t, ok)
	assert.Equal(t, s.Addresses, port.Addresses)
}

func controllerCreatesStopped(t *testing.T, f ControllerFixture) {
	req := f.request("web")
	req.Desired = set.DesiredStopped
	s := f.create(t, req)
	assert.Equal(t, set.StateStopped, s.Status())
	assert.True(t, s.Settled())
}

func controllerStopStart(t *testing.T, f ControllerFixture) {
	s := f.create(t, f.request("web"))
	volumes := f.Host.Engine.Volumes(s.ID)
	task, err := f.Mine.Act(t.Context(), "web", set.Action{Verb: set.VerbStop, Grace: set.Duration(time.Second)})
	assert.Equal(t, set.VerbStop, task.Verb)
	done(t, f.Mine, task, err)
	stopped, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.StateStopped, stopped.Status())
	assert.Greater(t, stopped.Generation, s.Generation)
	assert.Equal(t, s.Addresses, stopped.Addresses, "a stopped server keeps its address")

	task, err = f.Mine.Act(t.Context(), s.ID, set.Action{Verb: set.VerbStart})
	done(t, f.Mine, task, err)
	started, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.StateRunning, started.Status())
	assert.Equal(t, volumes, f.Host.Engine.Volumes(s.ID))
}

func controllerSyncs(t *testing.T, f ControllerFixture) {
	s := f.create(t, f.request("web"))
	task, err := f.Mine.Act(t.Context(), "web", set.Action{Verb: set.VerbSync})
	assert.Equal(t, set.VerbSync, task.Verb)
	done(t, f.Mine, task, err)
	after, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.StateRunning, after.Status())
	assert.Equal(t, s.Generation, after.Generation, "asking changes nothing that is wanted")
}

func controllerFails(t *testing.T, f ControllerFixture) {
	f.Host.FailNext("Engine.Prepare", 1, set.ErrForbidden)
	task, err := f.Mine.Create(t.Context(), f.request("web"))
	require.NoError(t, err)
	end := finish(t, f.Mine, task)
	assert.Equal(t, set.TaskFailed, end.State)
	require.NotNil(t, end.Fault)
	assert.Equal(t, "forbidden", end.Fault.Code)
	s, err := f.Mine.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.StateFailed, s.Status())
	require.NotNil(t, s.Fault)
	assert.Equal(t, end.Fault.Message, s.Fault.Message)
	again, err := f.Mine.Delete(t.Context(), "web", set.DeleteOptions{})
	done(t, f.Mine, again, err)
	assert.Equal(t, set.StateRunning, f.create(t, f.request("web")).Status())
}

func controllerMany(t *testing.T, f ControllerFixture) {
	const servers = 20
	tasks := make([]set.Task, servers)
	inParallel(servers, func(i int) {
		task, err := f.Mine.Create(t.Context(), f.request(numbered(i)))
		assert.NoError(t, err)
		tasks[i] = task
	})
	macs := map[string]bool{}
	for i, task := range tasks {
		done(t, f.Mine, task, nil)
		s, err := f.Mine.Get(t.Context(), numbered(i))
		require.NoError(t, err)
		require.Len(t, s.Addresses, 1)
		macs[s.Addresses[0].MAC] = true
	}
	assert.Len(t, macs, servers, "no two servers share an address")
}

func controllerRace(t *testing.T, f ControllerFixture) {
	errs := make([]error, 8)
	inParallel(len(errs), func(i int) { _, errs[i] = f.Mine.Create(t.Context(), f.request("web")) })
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		assert.ErrorIs(t, err, set.ErrConflict)
	}
	assert.Equal(t, 1, won)
}
