package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// stepServers is the one step of a service's task: Message counts the servers.
const stepServers = "servers"

// scaling is what is kept of a service's task while it runs.
type scaling struct {
	task  string
	who   Caller // with the token that pulls
	tried bool   // new servers were asked for once
	why   error  // some were refused for
	since time.Time
}

// beginService starts the work of a service's task that was just written.
func (c *Controller) beginService(id string, task set.Task, who Caller) {
	c.tasks.put(task)
	c.mu.Lock()
	c.services[id] = &scaling{task: task.ID, who: who, since: time.Now().UTC()}
	c.mu.Unlock()
	c.driveService(id)
}

// driveService wakes the service's driver, or starts one; "" is no service.
func (c *Controller) driveService(id string) {
	if id != "" {
		c.driveBy(serviceKey(id), func() error { return c.stepService(id) })
	}
}

// resumeServices goes on with the services that had a task when the region ended.
func (c *Controller) resumeServices(ctx context.Context) error {
	services, err := all[set.Service](ctx, c.cfg.Store, serviceKey(""))
	if err != nil {
		return err
	}
	for _, s := range services {
		if s.TaskID == "" {
			continue
		}
		task, err := c.task(ctx, s.TaskID)
		if err != nil {
			return fmt.Errorf("service %s: %w", s.ID, err)
		}
		task.Revision += 1 << 20                                                     // beyond what a reader saw before the restart
		c.beginService(s.ID, task, Caller{ProjectID: s.ProjectID, UserID: s.UserID}) // hosts pull as themselves
	}
	return nil
}

// replicas are a service's servers, sorted by what becomes of them.
type replicas struct {
	all     []set.Server // that are not being deleted, the best first
	old     []set.Server // of these: failed before the task began, so they are replaced
	failed  []set.Server // of these: failed while the task ran
	busy    int          // of all: a task is under way
	running int          // of all
	leaving int          // are being deleted
	names   map[string]bool
}

func (c *Controller) replicas(ctx context.Context, service string, since time.Time) (replicas, error) {
	r := replicas{names: map[string]bool{}}
	keys, err := c.cfg.Store.List(ctx, replicaPrefix(service), "", 0)
	if err != nil {
		return r, unavailable(err)
	}
	for _, k := range keys {
		s, _, err := get[set.Server](ctx, c.cfg.Store, serverKey(strings.TrimPrefix(k.Key, replicaPrefix(service))))
		if errors.Is(err, store.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return r, err
		}
		r.add(c.present(s), since)
	}
	slices.SortFunc(r.all, func(a, b set.Server) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.CreatedAt.Compare(b.CreatedAt))
	})
	return r, nil
}

func (r *replicas) add(s set.Server, since time.Time) {
	r.names[s.Name] = true
	failed := s.TaskID == "" && s.Fault != nil && s.Observed.State == set.StateFailed
	switch {
	case s.Desired == set.DesiredAbsent:
		r.leaving++
		return
	case failed && s.CreatedAt.Before(since):
		r.old = append(r.old, s)
		return
	case failed:
		r.failed = append(r.failed, s)
	case s.TaskID != "":
		r.busy++
	case s.Status() == set.StateRunning:
		r.running++
	}
	r.all = append(r.all, s)
}

// rank orders servers by how much they are worth keeping, the best first.
func rank(s set.Server) int {
	switch {
	case s.Status() == set.StateRunning && s.TaskID == "":
		return 0
	case s.Observed.State == set.StateFailed:
		return 2
	}
	return 1
}

// stepService brings a service one step nearer to what is wanted; the end of a server's task wakes it again.
func (c *Controller) stepService(id string) error {
	s, _, err := get[set.Service](c.ctx, c.cfg.Store, serviceKey(id))
	c.mu.Lock()
	w := c.services[id]
	c.mu.Unlock()
	if errors.Is(err, store.ErrNotFound) || err == nil && (w == nil || w.task != s.TaskID) {
		return nil // nothing is under way
	}
	if err != nil {
		return err
	}
	r, err := c.replicas(c.ctx, id, w.since)
	if err != nil {
		return err
	}
	t := tenant{c, w.who}
	doomed := append(r.old, r.all[min(s.Replicas, len(r.all)):]...)
	for _, server := range doomed {
		if _, err := t.delete(c.ctx, server.ID, set.DeleteOptions{}); err != nil && !errors.Is(err, set.ErrNotFound) {
			return err
		}
	}
	r.leaving += len(doomed)
	if missing := s.Replicas - len(r.all); missing > 0 && !w.tried {
		if err := t.fill(c.ctx, s, w, r, missing); err != nil {
			return err
		}
		if !w.tried {
			return nil // those that leave make room
		}
		return c.stepService(id) // they are busy now, or refused
	}
	c.progress(w.task, []set.Step{{Name: stepServers, State: set.StepRunning, StartedAt: w.since,
		Message: fmt.Sprintf("%d of %d run, %d are leaving", r.running, s.Replicas, r.leaving)}})
	if r.busy > 0 || r.leaving > 0 {
		return nil
	}
	return c.endService(s, w, r)
}

// fill asks for the servers that are missing, as one burst.
func (t tenant) fill(ctx context.Context, s set.Service, w *scaling, r replicas, missing int) error {
	network, err := t.c.cfg.Networks.Get(ctx, s.ProjectID, networkRequest(s.Spec).Network)
	if err != nil {
		return t.refused(w, r, err)
	}
	names, err := t.freeNames(ctx, s, r, missing)
	if err != nil {
		return err
	}
	model := set.Server{Kind: s.Spec.Kind, ProjectID: s.ProjectID, UserID: s.UserID, ServiceID: s.ID, Labels: s.Labels, Spec: s.Spec,
		Generation: 1, Desired: set.DesiredRunning, Images: s.Images, Presence: set.PresenceKnown}
	members, err := t.burst(ctx, burst{model: model, names: names, network: network, once: once{c: t.c, project: s.ProjectID}})
	for _, m := range members {
		if m.err != nil && err == nil {
			err = m.err
		}
	}
	return t.refused(w, r, err)
}

// refused keeps what trying again would not change for the end of the task; other errors are tried again, a
// lack of room once the servers that leave have made some.
func (t tenant) refused(w *scaling, r replicas, err error) error {
	if errors.Is(err, set.ErrUnavailable) {
		return err
	}
	if t.c.ctx.Err() != nil {
		return t.c.ctx.Err()
	}
	w.tried, w.why = err == nil || r.leaving == 0, err
	return nil
}

// freeNames are the lowest numbered names that no server of the project has.
func (t tenant) freeNames(ctx context.Context, s set.Service, r replicas, wanted int) ([]string, error) {
	var names []string
	for n := 1; len(names) < wanted; n++ {
		name := set.NumberedName(s.Name, n)
		if r.names[name] {
			continue
		}
		_, err := t.c.cfg.Store.Get(ctx, nameKey(s.ProjectID, name))
		switch {
		case errors.Is(err, store.ErrNotFound):
			names = append(names, name)
		case err != nil:
			return nil, unavailable(err)
		}
	}
	return names, nil
}

// endService ends the task of a service whose servers are all at rest; a deleted one is gone with it.
func (c *Controller) endService(s set.Service, w *scaling, r replicas) error {
	now, revision, err := get[set.Service](c.ctx, c.cfg.Store, serviceKey(s.ID))
	if errors.Is(err, store.ErrNotFound) || err == nil && now.TaskID != w.task {
		return nil // something newer is wanted
	}
	if err != nil {
		return err
	}
	fault := shortfall(s, w, r)
	var txn store.Txn
	txn.Expect(serviceKey(s.ID), revision)
	if now.TaskID, now.Fault, now.UpdatedAt = "", fault, time.Now().UTC(); now.Deleting {
		txn.Delete(serviceKey(s.ID), serviceNameKey(s.ProjectID, s.Name))
	} else {
		txn.Put(serviceKey(s.ID), encode(now))
	}
	c.progress(w.task, []set.Step{{Name: stepServers, State: stepState(fault), StartedAt: w.since, EndedAt: time.Now().UTC(),
		Message: fmt.Sprintf("%d of %d run", r.running, s.Replicas)}})
	committed, err := c.endTask(c.ctx, w.task, fault, &txn)
	if err != nil {
		return err
	}
	if _, err := c.cfg.Store.Commit(c.ctx, txn); err != nil {
		return unavailable(err)
	}
	c.mu.Lock()
	if c.services[s.ID] == w {
		delete(c.services, s.ID)
	}
	c.mu.Unlock()
	committed()
	return nil
}

func stepState(f *set.Fault) set.StepState {
	if f != nil {
		return set.StepFailed
	}
	return set.StepDone
}

// shortfall says why a service has fewer servers than wanted; nil when it has them all.
func shortfall(s set.Service, w *scaling, r replicas) *set.Fault {
	at := time.Now().UTC()
	if len(r.failed) > 0 {
		first := r.failed[0]
		return &set.Fault{Code: first.Fault.Code, At: at, Message: fmt.Sprintf("%d of %d servers failed; %s: %s", len(r.failed), s.Replicas, first.Name, first.Fault.Message)}
	}
	if w.why == nil {
		return nil
	}
	return set.NewFault(fmt.Errorf("only %d of %d servers have a place: %w", len(r.all), s.Replicas, w.why), at)
}

// count adds how many servers a service has.
func (c *Controller) count(ctx context.Context, s set.Service) (set.Service, error) {
	r, err := c.replicas(ctx, s.ID, time.Time{})
	s.Servers, s.Running = len(r.all)+r.leaving, r.running
	return s, err
}
