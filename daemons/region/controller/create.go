package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	b, err := t.prepare(ctx, req, received)
	if err != nil {
		return set.Task{}, err
	}
	b.names, b.once = []string{req.Name}, once
	members, err := t.burst(ctx, b)
	if err != nil {
		return set.Task{}, err
	}
	return members[0].task, members[0].err
}

// prepare asks everybody who knows whether servers like this can be, before anything is reserved.
func (t tenant) prepare(ctx context.Context, req set.CreateRequest, received time.Time) (burst, error) {
	spec := t.c.fill(req.Spec)
	if spec.Kind != set.KindSet {
		return burst{}, fmt.Errorf("%w: kind: no host of this region runs servers of kind %q", set.ErrInvalid, spec.Kind)
	}
	network, err := t.c.cfg.Networks.Get(ctx, t.who.ProjectID, networkRequest(spec).Network)
	if err != nil {
		return burst{}, err
	}
	images, err := t.c.resolve(ctx, spec, t.who)
	if err != nil {
		return burst{}, err
	}
	model := set.Server{Kind: spec.Kind, ProjectID: t.who.ProjectID, UserID: t.who.UserID, Labels: req.Labels, Spec: spec,
		Generation: 1, Desired: req.Desired, Images: images, Presence: set.PresenceKnown}
	checked := set.Step{Name: stepImages, State: set.StepDone, StartedAt: received, EndedAt: time.Now()}
	return burst{model: model, network: network, key: req.IdempotencyKey, steps: []set.Step{checked}}, nil
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
