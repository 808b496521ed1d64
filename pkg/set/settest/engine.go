package settest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/moset/moset/pkg/set"
)

// Engine is a set.Engine, set.EngineEvents and set.Suspender in memory.
type Engine struct {
	knobs *Knobs
	has   func(imageID string) bool // whether an image is on the host

	mu      sync.Mutex
	servers map[string]*fakeServer
	made    int // numbers containers, sandboxes and volumes
	events  map[chan string]struct{}
}

type fakeServer struct {
	found   set.Found
	volumes map[string]string // by name: which making of it this is
}

var (
	_ set.Engine       = (*Engine)(nil)
	_ set.EngineEvents = (*Engine)(nil)
	_ set.Suspender    = (*Engine)(nil)
)

// Prepare implements set.Engine: containers made from the same content are adopted, others replaced;
// volumes stay. ErrNotFound when an image is not on the host.
func (e *Engine) Prepare(ctx context.Context, in set.Instance) (set.Sandbox, error) {
	var s set.Sandbox
	err := e.knobs.do(ctx, "Engine.Prepare", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range in.Spec.Containers {
			if !e.has(in.ImageIDs[c.Name]) {
				return fmt.Errorf("%w: image %q of container %s is not on this host", set.ErrNotFound, in.ImageIDs[c.Name], c.Name)
			}
		}
		s = e.prepare(in)
		return nil
	})
	return s, err
}

func (e *Engine) prepare(in set.Instance) set.Sandbox {
	s, ok := e.servers[in.ServerID]
	if !ok {
		s = &fakeServer{volumes: map[string]string{}}
		e.servers[in.ServerID] = s
	}
	if hash := set.SpecHash(in.Assignment); s.found.SpecHash != hash {
		s.found = set.Found{ServerID: in.ServerID, SpecHash: hash, Containers: e.containers(in)}
	}
	s.found.Generation, s.found.Epoch = in.Generation, in.Epoch
	for _, v := range in.Spec.Volumes {
		if s.volumes[v.Name] == "" {
			s.volumes[v.Name] = e.number("volume")
		}
	}
	if s.found.Sandbox.NetNS == "" {
		s.move(set.ContainerExited, set.ContainerRunning, set.ContainerPaused) // what still runs is in a namespace nobody else has
		id := e.number("sandbox")
		s.found.Sandbox = set.Sandbox{ID: id, NetNS: "/run/netns/" + id}
		s.found.Containers[0].State, s.found.Containers[0].StartedAt = set.ContainerRunning, time.Now()
	}
	return s.found.Sandbox
}

func (e *Engine) containers(in set.Instance) []set.ContainerStatus {
	list := []set.ContainerStatus{{Name: string(set.RoleInfra), Role: set.RoleInfra, ID: e.number("container"), State: set.ContainerCreated}}
	for _, c := range in.Spec.WithDefaults().Containers {
		list = append(list, set.ContainerStatus{Name: c.Name, Role: c.Role, ID: e.number("container"), Image: c.Image, State: set.ContainerCreated})
	}
	return list
}

func (e *Engine) number(what string) string {
	e.made++
	return what + "-" + strconv.Itoa(e.made)
}

// Start implements set.Engine.
func (e *Engine) Start(ctx context.Context, in set.Instance) error {
	return e.on(ctx, "Engine.Start", in.ServerID, func(s *fakeServer) error {
		if s.found.Sandbox.NetNS == "" {
			return fmt.Errorf("%w: the sandbox of %s does not run", set.ErrUnavailable, in.ServerID)
		}
		s.move(set.ContainerRunning, set.ContainerCreated, set.ContainerExited)
		return nil
	})
}

// Stop implements set.Engine.
func (e *Engine) Stop(ctx context.Context, in set.Instance) error {
	return e.on(ctx, "Engine.Stop", in.ServerID, func(s *fakeServer) error {
		s.move(set.ContainerExited, set.ContainerRunning, set.ContainerPaused)
		s.found.Sandbox.NetNS = ""
		return nil
	})
}

// Suspend implements set.Suspender.
func (e *Engine) Suspend(ctx context.Context, in set.Instance) error {
	return e.on(ctx, "Engine.Suspend", in.ServerID, func(s *fakeServer) error {
		s.move(set.ContainerPaused, set.ContainerRunning)
		s.found.Containers[0].State = set.ContainerRunning // the infra container has nothing to freeze
		return nil
	})
}

// Resume implements set.Suspender.
func (e *Engine) Resume(ctx context.Context, in set.Instance) error {
	return e.on(ctx, "Engine.Resume", in.ServerID, func(s *fakeServer) error {
		s.move(set.ContainerRunning, set.ContainerPaused)
		return nil
	})
}

// Remove implements set.Engine.
func (e *Engine) Remove(ctx context.Context, serverID string) error {
	return e.knobs.do(ctx, "Engine.Remove", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.servers, serverID)
		return nil
	})
}

// List implements set.Engine.
func (e *Engine) List(ctx context.Context, serverIDs ...string) ([]set.Found, error) {
	var list []set.Found
	err := e.knobs.do(ctx, "Engine.List", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for id, s := range e.servers {
			if len(serverIDs) == 0 || slices.Contains(serverIDs, id) {
				f := s.found
				f.Containers = slices.Clone(f.Containers)
				list = append(list, f)
			}
		}
		return nil
	})
	return list, err
}

// on runs one call for a server that is here. Errors: set.ErrNotFound.
func (e *Engine) on(ctx context.Context, method, id string, work func(*fakeServer) error) error {
	return e.knobs.do(ctx, method, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		s, ok := e.servers[id]
		if !ok {
			return fmt.Errorf("%w: the engine has no server %s", set.ErrNotFound, id)
		}
		return work(s)
	})
}

// move brings every container that is in one of the states from to the state to.
func (s *fakeServer) move(to set.ContainerState, from ...set.ContainerState) {
	for i := range s.found.Containers {
		c := &s.found.Containers[i]
		if !slices.Contains(from, c.State) {
			continue
		}
		c.State = to
		switch to {
		case set.ContainerRunning:
			c.StartedAt, c.ExitCode = time.Now(), 0
		case set.ContainerExited:
			c.FinishedAt = time.Now()
		}
	}
}
