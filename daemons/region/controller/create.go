package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// Create implements set.Controller.
func (t tenant) Create(ctx context.Context, req set.CreateRequest) (set.Task, error) {
	task, err := t.create(ctx, req)
	return task, wrap("create server", req.Name, err)
}

func (t tenant) create(ctx context.Context, req set.CreateRequest) (set.Task, error) {
	received := time.Now()
	if err := t.mayWrite(); err != nil {
		return set.Task{}, err
	}
	if req.Desired == "" {
		req.Desired = set.DesiredRunning
	}
	if err := req.Validate(); err != nil {
		return set.Task{}, err
	}
	once := t.once(set.VerbCreate, req.IdempotencyKey, req)
	if task, done, err := once.earlier(ctx); done || err != nil {
		return task, err
	}
	task, err := t.createOnce(ctx, req, received, once)
	if errors.Is(err, set.ErrConflict) { // perhaps with the same request, sent twice at the same time
		if earlier, done, err := once.earlier(ctx); done || err != nil {
			return earlier, err
		}
	}
	return task, err
}

func (t tenant) createOnce(ctx context.Context, req set.CreateRequest, received time.Time, once once) (set.Task, error) {
	req.Spec = t.c.fill(req.Spec)
	if req.Spec.Kind != set.KindSet {
		return set.Task{}, fmt.Errorf("%w: kind: no host of this region runs servers of kind %q", set.ErrInvalid, req.Spec.Kind)
	}
	network, err := t.prepare(ctx, req)
	if err != nil {
		return set.Task{}, err
	}
	images, err := t.c.resolve(ctx, req.Spec, t.who)
	if err != nil {
		return set.Task{}, err
	}
	now := time.Now().UTC()
	s := set.Server{ID: uuid.NewString(), Name: req.Name, Kind: req.Spec.Kind, ProjectID: t.who.ProjectID, UserID: t.who.UserID, Labels: req.Labels,
		Spec: req.Spec, Generation: 1, Desired: req.Desired, Images: images, Presence: set.PresenceKnown, CreatedAt: now, UpdatedAt: now}
	task := t.newTask(set.VerbCreate, s, req.IdempotencyKey)
	task.Steps = append(task.Steps, set.Step{Name: stepImages, State: set.StepDone, StartedAt: received, EndedAt: now})
	return t.reserve(ctx, s, task, network, once)
}

// prepare finds what is refused cheaply: a name that is taken, a network that does not exist.
func (t tenant) prepare(ctx context.Context, req set.CreateRequest) (ipam.Network, error) {
	if _, err := t.c.cfg.Store.Get(ctx, nameKey(t.who.ProjectID, req.Name)); err == nil {
		return ipam.Network{}, nameTaken(req.Name)
	}
	return t.c.cfg.Networks.Get(ctx, t.who.ProjectID, networkRequest(req.Spec).Network)
}

func nameTaken(name string) error {
	return fmt.Errorf("%w: the project already has a server called %s: choose another name or delete that one", set.ErrConflict, name)
}

func networkRequest(s set.Spec) set.NetworkRequest {
	if len(s.Networks) == 0 {
		return set.NetworkRequest{}
	}
	return s.Networks[0]
}

// fill gives a Spec the defaults of the region.
func (c *Controller) fill(s set.Spec) set.Spec {
	s = s.WithDefaults()
	most := s.Containers[0].Resources // no container may have more than its set
	for _, ct := range s.Containers {
		most.CPU, most.Memory = max(most.CPU, ct.Resources.CPU), max(most.Memory, ct.Resources.Memory)
	}
	if s.Resources.CPU == 0 {
		s.Resources.CPU = max(c.cfg.Defaults.CPU, most.CPU)
	}
	if s.Resources.Memory == 0 {
		s.Resources.Memory = max(c.cfg.Defaults.Memory, most.Memory, set.Bytes(set.MinMemory*len(s.Containers)))
	}
	if s.Resources.Pids == 0 {
		s.Resources.Pids = c.cfg.Defaults.Pids
	}
	return s
}

// resolve pins every image to a digest, each reference once and all at the same time.
func (c *Controller) resolve(ctx context.Context, s set.Spec, who Caller) (map[string]set.Image, error) {
	type answer struct {
		ref   string
		image set.Image
		err   error
	}
	asked := map[string]bool{}
	answers := make(chan answer, len(s.Containers))
	for _, ct := range s.Containers {
		if asked[ct.Image] {
			continue
		}
		asked[ct.Image] = true
		go func() {
			img, err := c.cfg.Images.Resolve(ctx, ct.Image, who)
			answers <- answer{ct.Image, img, err}
		}()
	}
	byRef := map[string]set.Image{}
	var first error
	for range asked {
		a := <-answers
		byRef[a.ref] = a.image
		if a.err != nil && first == nil {
			first = fmt.Errorf("image %s: %w", a.ref, a.err)
		}
	}
	images := map[string]set.Image{}
	for _, ct := range s.Containers {
		images[ct.Name] = byRef[ct.Image]
	}
	return images, first
}

// reserve takes host, name and address and writes server and task, in one transaction.
func (t tenant) reserve(ctx context.Context, s set.Server, task set.Task, n ipam.Network, once once) (set.Task, error) {
	for range 100 {
		err := t.tryReserve(ctx, &s, &task, n, once)
		var conflict *store.ConflictError
		switch {
		case err == nil:
			t.c.begin(s, task, t.who.Token)
			return task, nil
		case !errors.As(err, &conflict):
			return set.Task{}, unavailable(err)
		case conflict.Key == nameKey(s.ProjectID, s.Name):
			return set.Task{}, nameTaken(s.Name)
		case conflict.Key == once.key():
			earlier, _, err := once.earlier(ctx)
			return earlier, err
		}
	}
	return set.Task{}, fmt.Errorf("%w: too many creates at once, try again", set.ErrUnavailable)
}

func (t tenant) tryReserve(ctx context.Context, s *set.Server, task *set.Task, n ipam.Network, once once) error {
	var txn store.Txn
	begun := time.Now()
	if err := t.c.place(ctx, s, n, &txn); err != nil {
		return err
	}
	s.TaskID = task.ID
	txn.Expect(serverKey(s.ID), 0)
	txn.Put(serverKey(s.ID), encode(*s))
	txn.Expect(nameKey(s.ProjectID, s.Name), 0)
	txn.Put(nameKey(s.ProjectID, s.Name), []byte(s.ID))
	txn.Put(orderKey(*s), []byte(s.ID))
	steps := task.Steps
	task.Steps = append(steps, set.Step{Name: stepSchedule, State: set.StepDone, Message: "host " + s.Host, StartedAt: begun, EndedAt: time.Now()})
	txn.Put(taskKey(task.ID), encode(*task))
	once.record(&txn, task.ID)
	_, err := t.c.cfg.Store.Commit(ctx, txn)
	if err != nil {
		task.Steps = steps
		t.c.ledger.Release(s.ID)
	}
	return err
}
