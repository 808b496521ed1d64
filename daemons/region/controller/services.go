package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

var _ set.ServiceController = tenant{}

// CreateService implements set.ServiceController.
func (t tenant) CreateService(ctx context.Context, req set.ServiceRequest) (set.Task, error) {
	task, err := t.createService(ctx, req)
	return task, wrap("create service", req.Name, err)
}

func (t tenant) createService(ctx context.Context, req set.ServiceRequest) (set.Task, error) {
	if err := t.mayWrite(); err != nil {
		return set.Task{}, err
	}
	if err := req.Validate(); err != nil {
		return set.Task{}, err
	}
	once := t.once("create service", req.IdempotencyKey, req)
	if task, done, err := once.earlier(ctx); done || err != nil {
		return task, err
	}
	b, err := t.prepare(ctx, set.CreateRequest{Name: req.Name, Labels: req.Labels, Spec: req.Spec}, time.Now())
	if err != nil {
		return set.Task{}, err
	}
	now := time.Now().UTC()
	svc := set.Service{ID: uuid.NewString(), Name: req.Name, ProjectID: t.who.ProjectID, UserID: t.who.UserID, Labels: req.Labels,
		Spec: b.model.Spec, Images: b.model.Images, Replicas: req.Replicas, Generation: 1, CreatedAt: now, UpdatedAt: now}
	task := t.newServiceTask(set.VerbCreate, svc, req.IdempotencyKey)
	task.Steps = b.steps
	svc.TaskID = task.ID
	var txn store.Txn
	txn.Expect(serviceNameKey(svc.ProjectID, svc.Name), 0)
	txn.Put(serviceNameKey(svc.ProjectID, svc.Name), []byte(svc.ID))
	txn.Put(serviceKey(svc.ID), encode(svc))
	txn.Put(taskKey(task.ID), encode(task))
	once.record(&txn, member{task: task})
	_, err = t.c.cfg.Store.Commit(ctx, txn)
	if errors.Is(err, store.ErrConflict) {
		if earlier, done, err := once.earlier(ctx); done || err != nil {
			return earlier, err
		}
		return set.Task{}, fmt.Errorf("%w: the project already has a service called %s: choose another name or delete that one", set.ErrConflict, svc.Name)
	}
	if err != nil {
		return set.Task{}, unavailable(err)
	}
	t.c.beginService(svc.ID, task, t.who)
	return task, nil
}

func (t tenant) newServiceTask(v set.Verb, s set.Service, key string) set.Task {
	task := t.newTask(v, set.Server{ProjectID: s.ProjectID, Generation: s.Generation}, key)
	task.ServiceID, task.ServiceName = s.ID, s.Name
	return task
}

// GetService implements set.ServiceController.
func (t tenant) GetService(ctx context.Context, ref string) (set.Service, error) {
	s, err := t.findService(ctx, ref)
	if err == nil {
		s, err = t.c.count(ctx, s)
	}
	return s, wrap("get service", ref, err)
}

// findService looks a service up by id, then by name; another project's is not there.
func (t tenant) findService(ctx context.Context, ref string) (set.Service, error) {
	s, _, err := get[set.Service](ctx, t.c.cfg.Store, serviceKey(ref))
	if errors.Is(err, store.ErrNotFound) {
		var i store.Item
		if i, err = t.c.cfg.Store.Get(ctx, serviceNameKey(t.who.ProjectID, ref)); err == nil {
			s, _, err = get[set.Service](ctx, t.c.cfg.Store, serviceKey(string(i.Value)))
		}
	}
	if err == nil && s.ProjectID != t.who.ProjectID {
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		return set.Service{}, fmt.Errorf("%w: the project has no service of that id or name", set.ErrNotFound)
	}
	return s, unavailable(err)
}

// ListServices implements set.ServiceController.
func (t tenant) ListServices(ctx context.Context) ([]set.Service, error) {
	names, err := t.c.cfg.Store.List(ctx, serviceNameKey(t.who.ProjectID, ""), "", 0)
	if err != nil {
		return nil, wrap("list services", "", unavailable(err))
	}
	list := []set.Service{}
	for _, name := range names {
		s, err := t.GetService(ctx, string(name.Value))
		if errors.Is(err, set.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// ScaleService implements set.ServiceController.
func (t tenant) ScaleService(ctx context.Context, ref string, scale set.Scale) (set.Task, error) {
	if err := scale.Validate(); err != nil {
		return set.Task{}, wrap("scale service", ref, err)
	}
	task, err := t.changeService(ctx, ref, set.VerbScale, scale.IdempotencyKey, scale.Replicas, func(s *set.Service) (again bool, err error) {
		if s.Deleting {
			return false, fmt.Errorf("%w: it is being deleted", set.ErrConflict)
		}
		again = s.TaskID != "" && s.Replicas == scale.Replicas
		s.Replicas = scale.Replicas
		return again, nil
	})
	return task, wrap("scale service", ref, err)
}

// DeleteService implements set.ServiceController.
func (t tenant) DeleteService(ctx context.Context, ref string, o set.DeleteOptions) (set.Task, error) {
	task, err := t.changeService(ctx, ref, set.VerbDelete, o.IdempotencyKey, nil, func(s *set.Service) (again bool, err error) {
		again = s.Deleting
		s.Deleting, s.Replicas = true, 0
		return again, nil
	})
	return task, wrap("delete service", ref, err)
}

// changeService records what is wanted now and begins a task for it, ending the one under way. When mutate
// says that the task under way does just that, that one is returned.
func (t tenant) changeService(ctx context.Context, ref string, v set.Verb, key string, what any, mutate func(*set.Service) (again bool, err error)) (set.Task, error) {
	if err := t.mayWrite(); err != nil {
		return set.Task{}, err
	}
	once := t.once(v+" service", key, []any{ref, what})
	for {
		if task, done, err := once.earlier(ctx); done || err != nil {
			return task, err
		}
		found, err := t.findService(ctx, ref)
		if err != nil {
			return set.Task{}, err
		}
		task, err := t.tryChangeService(ctx, found.ID, v, key, once, mutate)
		if !errors.Is(err, store.ErrConflict) {
			return task, unavailable(err)
		}
		if err := ctx.Err(); err != nil {
			return set.Task{}, err
		}
	}
}

func (t tenant) tryChangeService(ctx context.Context, id string, v set.Verb, key string, once once, mutate func(*set.Service) (again bool, err error)) (set.Task, error) {
	svc, revision, err := get[set.Service](ctx, t.c.cfg.Store, serviceKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return set.Task{}, fmt.Errorf("%w: it is deleted already", set.ErrNotFound)
	}
	if err != nil {
		return set.Task{}, err
	}
	again, err := mutate(&svc)
	if err != nil {
		return set.Task{}, err
	}
	if again {
		return t.c.task(ctx, svc.TaskID)
	}
	var txn store.Txn
	fault := &set.Fault{Code: set.Code(set.ErrConflict), Message: "something else was asked of the service meanwhile", At: time.Now().UTC()}
	ended, err := t.c.endTask(ctx, svc.TaskID, fault, &txn)
	if err != nil {
		return set.Task{}, err
	}
	svc.Generation++
	task := t.newServiceTask(v, svc, key)
	svc.TaskID, svc.Fault, svc.UpdatedAt = task.ID, nil, time.Now().UTC()
	txn.Expect(serviceKey(id), revision)
	txn.Put(serviceKey(id), encode(svc))
	txn.Put(taskKey(task.ID), encode(task))
	once.record(&txn, member{task: task})
	if _, err := t.c.cfg.Store.Commit(ctx, txn); err != nil {
		return set.Task{}, err
	}
	ended()
	t.c.beginService(svc.ID, task, t.who)
	return task, nil
}
