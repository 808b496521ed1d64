package settest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/moset/moset/pkg/set"
)

// Controller is a small region in memory over one Agent, for tests of what is above a set.Controller. It
// schedules nothing, gives every server the same kind of address, and knows every image but "missing:…".
type Controller struct {
	agent  set.Agent
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	line   sync.Mutex // one message to the Agent at a time, so that none overtakes a newer one

	mu      sync.Mutex
	servers []*set.Server // in order of creation
	tasks   map[string]*set.Task
	once    map[string]once
	changed chan struct{} // closed at the next change of a task
}

type once struct{ what, task string }

// NewController returns a Controller that works until Close.
func NewController(a set.Agent) *Controller {
	c := &Controller{agent: a, tasks: map[string]*set.Task{}, once: map[string]once{}, changed: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.work.Go(c.follow)
	return c
}

// Close ends the work.
func (c *Controller) Close() error {
	c.cancel()
	c.work.Wait()
	return nil
}

// For returns the Controller of one project's caller; readOnly ones may only look. It is a set.TaskReader too.
func (c *Controller) For(project string, readOnly bool) set.Controller {
	return tenant{c, project, readOnly}
}

// follow takes over what the Agent reports.
func (c *Controller) follow() {
	for c.ctx.Err() == nil {
		for o, err := range c.agent.Watch(c.ctx) {
			if err == nil {
				c.observe(o)
			}
		}
		select {
		case <-c.ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *Controller) observe(o set.Observation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range c.servers {
		if s.ID != o.ServerID {
			continue
		}
		s.Observed = o.Observed
		t := c.tasks[s.TaskID]
		switch {
		case s.Desired == set.DesiredAbsent && o.State == set.StateDeleted:
			c.servers = append(c.servers[:i:i], c.servers[i+1:]...)
			c.end(s, t, nil)
		case t != nil && s.Settled():
			c.end(s, t, nil)
		case t != nil && o.State == set.StateFailed && o.Generation == s.Generation:
			c.end(s, t, o.Fault)
		case t != nil:
			t.State, t.Steps = set.TaskRunning, o.Steps
			c.touch(t)
		}
		return
	}
}

// end finishes the task of a server. c.mu is held, as for all below.
func (c *Controller) end(s *set.Server, t *set.Task, f *set.Fault) {
	s.TaskID, s.Fault = "", f
	t.State, t.Fault, t.EndedAt = set.TaskDone, f, time.Now()
	if f != nil {
		t.State = set.TaskFailed
	}
	t.Steps = s.Observed.Steps
	c.touch(t)
}

func (c *Controller) touch(t *set.Task) {
	t.Revision++
	close(c.changed)
	c.changed = make(chan struct{})
}

// send tells the Agent what is wanted of a server, until it has heard.
func (c *Controller) send(s set.Server) {
	c.work.Go(func() {
		for c.ctx.Err() == nil && c.tell(s) != nil {
			select {
			case <-c.ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
}

func (c *Controller) tell(s set.Server) error {
	c.line.Lock()
	defer c.line.Unlock()
	if !c.wanted(s) {
		return nil
	}
	var o set.Observation
	var err error
	if s.Desired == set.DesiredAbsent {
		o, err = c.agent.Remove(c.ctx, set.Removal{ServerID: s.ID, Epoch: s.Epoch})
	} else {
		o, err = c.agent.Apply(c.ctx, set.Assignment{ServerID: s.ID, Name: s.Name, ProjectID: s.ProjectID, Generation: s.Generation, Epoch: s.Epoch,
			Desired: s.Desired, Spec: s.Spec, Images: s.Images, Addresses: s.Addresses, Grace: s.StopGrace})
	}
	if code := set.Code(err); code == "conflict" || code == "stale_epoch" {
		return nil // something newer was sent
	}
	if err == nil && o.State == set.StateDeleted {
		c.observe(o)
	}
	return err
}

// wanted says that nothing newer is wanted of a server.
func (c *Controller) wanted(s set.Server) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, err := c.find(s.ProjectID, s.ID)
	return err == nil && now.Generation == s.Generation
}

// find looks a project's server up by id, then by name.
func (c *Controller) find(project, ref string) (*set.Server, error) {
	var named *set.Server
	for _, s := range c.servers {
		if s.ProjectID != project {
			continue
		}
		if s.ID == ref {
			return s, nil
		}
		if s.Name == ref {
			named = s
		}
	}
	if named == nil {
		return nil, fmt.Errorf("%w: the project has no server of that id or name", set.ErrNotFound)
	}
	return named, nil
}

func (c *Controller) newTask(v set.Verb, s *set.Server, key string) *set.Task {
	t := &set.Task{ID: newID(), Verb: v, ServerID: s.ID, ServerName: s.Name, ProjectID: s.ProjectID, IdempotencyKey: key,
		Generation: s.Generation, State: set.TaskQueued, Revision: 1, CreatedAt: time.Now()}
	c.tasks[t.ID] = t
	return t
}

func newID() string { return strings.ToLower(rand.Text()) }
