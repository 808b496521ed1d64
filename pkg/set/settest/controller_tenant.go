package settest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/moset/moset/pkg/set"
)

// tenant is a Controller as one caller sees it.
type tenant struct {
	c        *Controller
	project  string
	readOnly bool
}

var (
	_ set.Controller = tenant{}
	_ set.TaskReader = tenant{}
)

// mutate runs one mutation under the lock, once for each key, and gives its error operation and subject.
func (t tenant) mutate(op, ref, key string, what any, do func() (*set.Task, error)) (set.Task, error) {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	task, err := t.mutateOnce(key, content(op, ref, what), do)
	if err != nil {
		return set.Task{}, &set.Error{Op: op, ID: ref, Err: err}
	}
	return copyOf(task), nil
}

func (t tenant) mutateOnce(key, what string, do func() (*set.Task, error)) (*set.Task, error) {
	if t.readOnly {
		return nil, fmt.Errorf("%w: your roles allow reading only", set.ErrForbidden)
	}
	if before, ok := t.c.once[t.project+"/"+key]; key != "" && ok {
		if before.what != what {
			return nil, fmt.Errorf("%w: the idempotency key was used for another request", set.ErrConflict)
		}
		return t.c.tasks[before.task], nil
	}
	task, err := do()
	if err == nil && key != "" {
		t.c.once[t.project+"/"+key] = once{what, task.ID}
	}
	return task, err
}

func content(parts ...any) string {
	b, err := json.Marshal(parts)
	if err != nil {
		panic(err) // plain data: cannot fail
	}
	return string(b)
}

func copyOf(t *set.Task) set.Task {
	c := *t
	c.Steps = slices.Clone(t.Steps)
	return c
}

// Create implements set.Controller.
func (t tenant) Create(_ context.Context, req set.CreateRequest) (set.Task, error) {
	return t.mutate("create server", req.Name, req.IdempotencyKey, req, func() (*set.Task, error) {
		if err := req.Validate(); err != nil {
			return nil, err
		}
		if s, _ := t.c.find(t.project, req.Name); s != nil && s.Name == req.Name {
			return nil, fmt.Errorf("%w: the project already has a server called %s", set.ErrConflict, req.Name)
		}
		images := map[string]set.Image{}
		for _, c := range req.Spec.Containers {
			if strings.HasPrefix(c.Image, "missing:") {
				return nil, fmt.Errorf("%w: image %s: the registry has none of that name", set.ErrNotFound, c.Image)
			}
			images[c.Name] = set.Image{Ref: c.Image, Digest: Digest("c"), Size: 1000}
		}
		return t.c.create(t.project, req, images), nil
	})
}

func (c *Controller) create(project string, req set.CreateRequest, images map[string]set.Image) *set.Task {
	now, n := time.Now(), len(c.tasks)%250+2
	s := &set.Server{ID: newID(), Name: req.Name, Kind: set.KindSet, ProjectID: project, Labels: req.Labels, Spec: req.Spec.WithDefaults(),
		Generation: 1, Epoch: 1, Desired: req.Desired, Images: images, Host: "host-1", Presence: set.PresenceKnown, CreatedAt: now, UpdatedAt: now,
		Addresses: []set.Address{{NetworkID: "net-1", Network: "default", Segment: 7, MAC: fmt.Sprintf("fa:16:3e:00:00:%02x", n),
			Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), 24), MTU: 1442}}}
	if s.Desired == "" {
		s.Desired = set.DesiredRunning
	}
	task := c.newTask(set.VerbCreate, s, req.IdempotencyKey)
	s.TaskID = task.ID
	c.servers = append(c.servers, s)
	c.send(*s)
	return task
}

// Get implements set.Controller.
func (t tenant) Get(_ context.Context, ref string) (set.Server, error) {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	s, err := t.c.find(t.project, ref)
	if err != nil {
		return set.Server{}, &set.Error{Op: "get server", ID: ref, Err: err}
	}
	return *s, nil
}

// List implements set.Controller.
func (t tenant) List(_ context.Context, o set.ListOptions) (set.Page, error) {
	if o.Limit <= 0 || o.Limit > 1000 {
		o.Limit = 1000
	}
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	page := set.Page{Servers: []set.Server{}}
	seen := o.Marker == ""
	for _, s := range t.c.servers {
		if s.ProjectID != t.project || !seen || !selects(o, *s) {
			seen = seen || s.ID == o.Marker
			continue
		}
		if len(page.Servers) == o.Limit {
			page.Next = page.Servers[o.Limit-1].ID
			break
		}
		page.Servers = append(page.Servers, *s)
	}
	return page, nil
}

func selects(o set.ListOptions, s set.Server) bool {
	if o.Name != "" && o.Name != s.Name || o.Status != "" && o.Status != s.Status() {
		return false
	}
	for k, v := range o.Labels {
		if s.Labels[k] != v {
			return false
		}
	}
	return true
}

// Act implements set.Controller.
func (t tenant) Act(ctx context.Context, ref string, a set.Action) (set.Task, error) {
	return t.mutate(string(a.Verb)+" server", ref, a.IdempotencyKey, a, func() (*set.Task, error) {
		s, err := t.c.find(t.project, ref)
		if err != nil {
			return nil, err
		}
		switch a.Verb {
		case set.VerbStart:
			return t.want(s, set.DesiredRunning, a)
		case set.VerbStop:
			return t.want(s, set.DesiredStopped, a)
		case set.VerbSync:
			task := t.c.newTask(a.Verb, s, a.IdempotencyKey)
			task.State, task.EndedAt = set.TaskDone, time.Now()
			return task, t.sync(ctx, s)
		}
		return nil, fmt.Errorf("%w: verb: %q is not start, stop or sync-status", set.ErrInvalid, a.Verb)
	})
}

func (t tenant) sync(ctx context.Context, s *set.Server) error {
	list, err := t.c.agent.Observe(ctx, s.ID)
	if err == nil && len(list) == 1 && list[0].At.After(s.Observed.At) {
		s.Observed = list[0].Observed
	}
	return err
}

func (t tenant) want(s *set.Server, d set.Desired, a set.Action) (*set.Task, error) {
	if s.TaskID != "" {
		return nil, fmt.Errorf("%w: task %s is under way", set.ErrConflict, s.TaskID)
	}
	s.Generation++
	s.Desired, s.StopGrace, s.Fault = d, a.Grace, nil
	task := t.c.newTask(a.Verb, s, a.IdempotencyKey)
	s.TaskID = task.ID
	t.c.send(*s)
	return task, nil
}

// Delete implements set.Controller.
func (t tenant) Delete(_ context.Context, ref string, o set.DeleteOptions) (set.Task, error) {
	return t.mutate("delete server", ref, o.IdempotencyKey, nil, func() (*set.Task, error) {
		s, err := t.c.find(t.project, ref)
		if err != nil {
			return nil, err
		}
		if s.Desired == set.DesiredAbsent {
			return t.c.tasks[s.TaskID], nil
		}
		if under := t.c.tasks[s.TaskID]; under != nil {
			t.c.end(s, under, &set.Fault{Code: "conflict", Message: "the server was deleted meanwhile", At: time.Now()})
		}
		s.Generation++
		s.Desired, s.Fault = set.DesiredAbsent, nil
		task := t.c.newTask(set.VerbDelete, s, o.IdempotencyKey)
		s.TaskID = task.ID
		t.c.send(*s)
		return task, nil
	})
}

// Task implements set.TaskReader.
func (t tenant) Task(ctx context.Context, id string, after uint64) (set.Task, error) {
	limit := time.After(20 * time.Second)
	for {
		t.c.mu.Lock()
		task, ok := t.c.tasks[id]
		if !ok || task.ProjectID != t.project {
			t.c.mu.Unlock()
			return set.Task{}, &set.Error{Op: "task", ID: id, Err: fmt.Errorf("%w: there is no such task", set.ErrNotFound)}
		}
		now, changed := copyOf(task), t.c.changed
		t.c.mu.Unlock()
		if now.Revision > after || now.State.Final() {
			return now, nil
		}
		select {
		case <-changed:
		case <-limit:
			return now, nil
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}
