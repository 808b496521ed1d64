package settest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// TestServices runs the contract of set.ServiceController. Every part gets a new region without servers, with
// room for BatchRoom of them.
func TestServices(t *testing.T, newRegion func(t *testing.T) ControllerFixture) {
	for name, part := range map[string]func(*testing.T, ControllerFixture){
		"a service has the servers it asks for":                  serviceCreates,
		"a service without servers is one":                       serviceEmpty,
		"scaling out adds servers and scaling in takes the last": serviceScales,
		"scaling to the same number changes nothing":             serviceScaleSame,
		"the same scaling under way is the same task":            serviceScaleTwice,
		"a new number ends the task under way":                   serviceScaleSupersedes,
		"what does not fit is said and tried again":              serviceNoRoom,
		"a server that failed is replaced by scaling":            serviceReplaces,
		"a server deleted by hand is made again by scaling":      serviceDeletedByHand,
		"a number in use is skipped":                             serviceSkipsNames,
		"deleting a service deletes its servers":                 serviceDeletes,
		"another project's service is not there":                 serviceOtherProject,
		"the same key is the same task":                          serviceIdempotent,
		"services are refused with a reason":                     serviceRefusals,
	} {
		t.Run(name, func(t *testing.T) { part(t, newRegion(t)) })
	}
}

func (f ControllerFixture) services(t *testing.T) set.ServiceController {
	t.Helper()
	c, ok := f.Mine.(set.ServiceController)
	require.True(t, ok, "the Controller is no ServiceController")
	return c
}

func (f ControllerFixture) service(replicas int) set.ServiceRequest {
	return set.ServiceRequest{Name: "web", Spec: f.request("web").Spec, Replicas: replicas, Labels: map[string]string{"tier": "front"}}
}

// serve makes a service and waits until it is as asked for.
func (f ControllerFixture) serve(t *testing.T, replicas int) set.Task {
	t.Helper()
	task, err := f.services(t).CreateService(t.Context(), f.service(replicas))
	return done(t, f.Mine, task, err)
}

func (f ControllerFixture) scale(t *testing.T, replicas int) set.Task {
	t.Helper()
	task, err := f.services(t).ScaleService(t.Context(), "web", set.Scale{Replicas: replicas})
	require.NoError(t, err)
	return task
}

func serviceCreates(t *testing.T, f ControllerFixture) {
	task, err := f.services(t).CreateService(t.Context(), f.service(3))
	require.NoError(t, err)
	assert.Equal(t, set.VerbCreate, task.Verb)
	assert.Equal(t, "web", task.Subject())
	assert.Empty(t, task.ServerID)
	done(t, f.Mine, task, nil)
	assert.Equal(t, []string{"web-1", "web-2", "web-3"}, f.names(t))

	svc, err := f.services(t).GetService(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, task.ServiceID, svc.ID)
	assert.Equal(t, 3, svc.Replicas)
	assert.Equal(t, 3, svc.Servers)
	assert.Equal(t, 3, svc.Running)
	assert.Empty(t, svc.TaskID)
	s, err := f.Mine.Get(t.Context(), "web-2")
	require.NoError(t, err)
	assert.Equal(t, svc.ID, s.ServiceID)
	assert.Equal(t, svc.Images, s.Images)
	assert.Equal(t, svc.Labels, s.Labels)
	list, err := f.services(t).ListServices(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, svc, list[0])
}

func serviceEmpty(t *testing.T, f ControllerFixture) {
	f.serve(t, 0)
	assert.Empty(t, f.names(t))
	done(t, f.Mine, f.scale(t, 1), nil)
	assert.Equal(t, []string{"web-1"}, f.names(t))
}

func serviceScales(t *testing.T, f ControllerFixture) {
	f.serve(t, 1)
	first, err := f.Mine.Get(t.Context(), "web-1")
	require.NoError(t, err)
	task := done(t, f.Mine, f.scale(t, 3), nil)
	assert.Equal(t, set.VerbScale, task.Verb)
	assert.Equal(t, []string{"web-1", "web-2", "web-3"}, f.names(t))
	done(t, f.Mine, f.scale(t, 1), nil)
	assert.Equal(t, []string{"web-1"}, f.names(t))
	last, err := f.Mine.Get(t.Context(), "web-1")
	require.NoError(t, err)
	assert.Equal(t, first.ID, last.ID, "it was left alone all the time")
	done(t, f.Mine, f.scale(t, BatchRoom), nil)
	assert.Len(t, f.names(t), BatchRoom, "what was scaled in made room")
}

func serviceScaleSame(t *testing.T, f ControllerFixture) {
	f.serve(t, 2)
	before, err := f.Mine.List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	done(t, f.Mine, f.scale(t, 2), nil)
	after, err := f.Mine.List(t.Context(), set.ListOptions{})
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func serviceScaleTwice(t *testing.T, f ControllerFixture) {
	f.serve(t, 0)
	proceed := f.Host.Block("Engine.Prepare")
	task := f.scale(t, 2)
	assert.Equal(t, task.ID, f.scale(t, 2).ID)
	proceed()
	done(t, f.Mine, task, nil)
	assert.Len(t, f.names(t), 2)
}

func serviceScaleSupersedes(t *testing.T, f ControllerFixture) {
	f.serve(t, 0)
	proceed := f.Host.Block("Engine.Prepare")
	out := f.scale(t, 5)
	require.Eventually(t, func() bool { return len(f.names(t)) == 5 }, Patience, 5*time.Millisecond)
	in := f.scale(t, 2)
	proceed()
	done(t, f.Mine, in, nil)
	ended := finish(t, f.Mine, out)
	assert.Equal(t, set.TaskFailed, ended.State)
	assert.Equal(t, set.Code(set.ErrConflict), ended.Fault.Code)
	assert.Len(t, f.names(t), 2)
}

func serviceNoRoom(t *testing.T, f ControllerFixture) {
	f.create(t, f.request("other"))
	f.serve(t, 2)
	task := finish(t, f.Mine, f.scale(t, BatchRoom))
	require.Equal(t, set.TaskFailed, task.State)
	assert.Equal(t, set.Code(set.ErrNoCapacity), task.Fault.Code)
	assert.Contains(t, task.Fault.Message, "only 9 of 10 servers have a place")
	svc, err := f.services(t).GetService(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, BatchRoom, svc.Replicas)
	assert.Equal(t, BatchRoom-1, svc.Running, "those that fit run")
	require.NotNil(t, svc.Fault)

	gone, err := f.Mine.Delete(t.Context(), "other", set.DeleteOptions{})
	done(t, f.Mine, gone, err)
	done(t, f.Mine, f.scale(t, BatchRoom), nil)
	svc, err = f.services(t).GetService(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, BatchRoom, svc.Running)
	assert.Nil(t, svc.Fault)
}

func serviceReplaces(t *testing.T, f ControllerFixture) {
	f.Host.FailNext("Engine.Prepare", 1, set.ErrForbidden)
	task, err := f.services(t).CreateService(t.Context(), f.service(3))
	require.NoError(t, err)
	end := finish(t, f.Mine, task)
	require.Equal(t, set.TaskFailed, end.State)
	assert.Contains(t, end.Fault.Message, "1 of 3 servers failed; web-")
	done(t, f.Mine, f.scale(t, 3), nil)
	svc, err := f.services(t).GetService(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, 3, svc.Running)
	assert.Equal(t, 3, svc.Servers)
}

func serviceDeletedByHand(t *testing.T, f ControllerFixture) {
	f.serve(t, 3)
	gone, err := f.Mine.Delete(t.Context(), "web-2", set.DeleteOptions{})
	done(t, f.Mine, gone, err)
	svc, err := f.services(t).GetService(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, 2, svc.Servers)
	done(t, f.Mine, f.scale(t, 3), nil)
	assert.ElementsMatch(t, []string{"web-1", "web-2", "web-3"}, f.names(t))
}

func serviceSkipsNames(t *testing.T, f ControllerFixture) {
	f.create(t, f.request("web-2"))
	f.serve(t, 2)
	assert.ElementsMatch(t, []string{"web-2", "web-1", "web-3"}, f.names(t))
	done(t, f.Mine, f.scale(t, 0), nil)
	assert.Equal(t, []string{"web-2"}, f.names(t), "it was never the service's")
}

func serviceDeletes(t *testing.T, f ControllerFixture) {
	f.serve(t, 3)
	task, err := f.services(t).DeleteService(t.Context(), "web", set.DeleteOptions{})
	require.NoError(t, err)
	_, err = f.services(t).ScaleService(t.Context(), task.ServiceID, set.Scale{Replicas: 1})
	assert.True(t, errors.Is(err, set.ErrConflict) || errors.Is(err, set.ErrNotFound), "it is going or gone: %v", err)
	done(t, f.Mine, task, nil)
	assert.Empty(t, f.names(t))
	_, err = f.services(t).GetService(t.Context(), "web")
	require.ErrorIs(t, err, set.ErrNotFound)
	_, err = f.services(t).DeleteService(t.Context(), "web", set.DeleteOptions{})
	require.ErrorIs(t, err, set.ErrNotFound)
	f.serve(t, 1) // the name is free
}

func serviceOtherProject(t *testing.T, f ControllerFixture) {
	task := f.serve(t, 1)
	theirs, ok := f.Theirs.(set.ServiceController)
	require.True(t, ok)
	for _, ref := range []string{"web", task.ServiceID} {
		_, err := theirs.GetService(t.Context(), ref)
		require.ErrorIs(t, err, set.ErrNotFound)
		_, err = theirs.ScaleService(t.Context(), ref, set.Scale{Replicas: 0})
		require.ErrorIs(t, err, set.ErrNotFound)
		_, err = theirs.DeleteService(t.Context(), ref, set.DeleteOptions{})
		require.ErrorIs(t, err, set.ErrNotFound)
	}
	list, err := theirs.ListServices(t.Context())
	require.NoError(t, err)
	assert.Empty(t, list)
	assert.Len(t, f.names(t), 1)
}

func serviceIdempotent(t *testing.T, f ControllerFixture) {
	req := f.service(1)
	req.IdempotencyKey = "create"
	task, err := f.services(t).CreateService(t.Context(), req)
	done(t, f.Mine, task, err)
	again, err := f.services(t).CreateService(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, task.ID, again.ID)
	scale := set.Scale{Replicas: 2, IdempotencyKey: "scale"}
	task, err = f.services(t).ScaleService(t.Context(), "web", scale)
	done(t, f.Mine, task, err)
	done(t, f.Mine, f.scale(t, 1), nil)
	again, err = f.services(t).ScaleService(t.Context(), "web", scale)
	require.NoError(t, err)
	assert.Equal(t, task.ID, again.ID, "an old request that comes again changes nothing")
	assert.Len(t, f.names(t), 1)
}

func serviceRefusals(t *testing.T, f ControllerFixture) {
	f.serve(t, 1)
	_, err := f.services(t).CreateService(t.Context(), f.service(1))
	require.ErrorIs(t, err, set.ErrConflict, "the name is taken")
	req := f.service(1)
	req.Name, req.Spec.Containers[0].Image = "api", "missing:1"
	_, err = f.services(t).CreateService(t.Context(), req)
	require.ErrorIs(t, err, set.ErrNotFound)
	for field, change := range map[string]func(*set.ServiceRequest){
		"replicas":   func(r *set.ServiceRequest) { r.Replicas = -1 },
		"name":       func(r *set.ServiceRequest) { r.Name = strings.Repeat("w", 63) },
		"containers": func(r *set.ServiceRequest) { r.Spec.Containers = nil },
	} {
		req := f.service(1)
		req.Name = "api"
		change(&req)
		_, err := f.services(t).CreateService(t.Context(), req)
		require.ErrorIs(t, err, set.ErrInvalid, field)
		assert.Contains(t, err.Error(), field)
	}
	_, err = f.services(t).ScaleService(t.Context(), "web", set.Scale{Replicas: set.MaxBatch + 1})
	require.ErrorIs(t, err, set.ErrInvalid)
	_, err = f.services(t).ScaleService(t.Context(), "none", set.Scale{Replicas: 1})
	require.ErrorIs(t, err, set.ErrNotFound)
	reader, ok := f.ReadOnly.(set.ServiceController)
	require.True(t, ok)
	_, err = reader.CreateService(t.Context(), f.service(1))
	require.ErrorIs(t, err, set.ErrForbidden)
	_, err = reader.ScaleService(t.Context(), "web", set.Scale{})
	require.ErrorIs(t, err, set.ErrForbidden)
	_, err = reader.DeleteService(t.Context(), "web", set.DeleteOptions{})
	require.ErrorIs(t, err, set.ErrForbidden)
	assert.Len(t, f.names(t), 1)
}
