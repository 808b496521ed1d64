package settest

import (
	"context"
	"iter"
	"maps"
	"time"

	"github.com/moset/moset/pkg/set"
)

// Exit makes a container end with a code and tells the followers of Events. False when it does not run.
func (e *Engine) Exit(serverID, container string, code int) bool {
	return e.change(serverID, func(s *fakeServer) bool {
		for i := range s.found.Containers {
			c := &s.found.Containers[i]
			if c.Name == container && c.State == set.ContainerRunning {
				c.State, c.ExitCode, c.FinishedAt = set.ContainerExited, code, time.Now()
				return true
			}
		}
		return false
	})
}

// LoseInfra ends a server's infra container, and with it the network namespace; the members run on.
func (e *Engine) LoseInfra(serverID string) bool {
	return e.change(serverID, func(s *fakeServer) bool {
		if s.found.Sandbox.NetNS == "" {
			return false
		}
		s.found.Sandbox.NetNS = ""
		s.found.Containers[0].State, s.found.Containers[0].ExitCode = set.ContainerExited, 137
		return true
	})
}

func (e *Engine) change(serverID string, what func(*fakeServer) bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.servers[serverID]
	if !ok || !what(s) {
		return false
	}
	for follower := range e.events {
		select {
		case follower <- serverID:
		default: // it has events waiting already; a Manager looks at everything of the server then
		}
	}
	return true
}

// Events implements set.EngineEvents.
func (e *Engine) Events(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ids := make(chan string, 1024)
		e.mu.Lock()
		e.events[ids] = struct{}{}
		e.mu.Unlock()
		defer func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			delete(e.events, ids)
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case id := <-ids:
				if !yield(id, nil) {
					return
				}
			}
		}
	}
}

// Volumes returns a server's volumes by name; a volume made anew has another value.
func (e *Engine) Volumes(serverID string) map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.servers[serverID]; ok {
		return maps.Clone(s.volumes)
	}
	return nil
}

// Put places a server on the engine that no Manager made: what another process left behind.
func (e *Engine) Put(f set.Found) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.servers[f.ServerID] = &fakeServer{found: f, volumes: map[string]string{}}
}

// Found returns a server as List does, without being counted as a call.
func (e *Engine) Found(serverID string) (set.Found, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.servers[serverID]
	if !ok {
		return set.Found{}, false
	}
	f := s.found
	f.Containers = append([]set.ContainerStatus(nil), f.Containers...)
	return f, true
}
