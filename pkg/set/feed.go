package set

import (
	"context"
	"sync"
)

// feed hands observations to watchers: never blocks the sender, merges what a slow watcher missed, and
// never loses a server's last one.
type feed struct {
	mu   sync.Mutex
	subs map[*subscription]struct{}
}

type subscription struct {
	mu      sync.Mutex
	pending map[string]Observation
	order   []string
	wake    chan struct{}
}

func (f *feed) subscribe() *subscription {
	s := &subscription{pending: map[string]Observation{}, wake: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subs == nil {
		f.subs = map[*subscription]struct{}{}
	}
	f.subs[s] = struct{}{}
	return s
}

func (f *feed) unsubscribe(s *subscription) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.subs, s)
}

func (f *feed) publish(o Observation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subs {
		s.put(o)
	}
}

func (s *subscription) put(o Observation) {
	s.mu.Lock()
	if _, waiting := s.pending[o.ServerID]; !waiting {
		s.order = append(s.order, o.ServerID)
	}
	s.pending[o.ServerID] = o
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next waits for observations until either context ends.
func (s *subscription) next(watcher, source context.Context) ([]Observation, error) {
	for {
		if list := s.take(); len(list) > 0 {
			return list, nil
		}
		select {
		case <-watcher.Done():
			return nil, watcher.Err()
		case <-source.Done():
			return nil, source.Err()
		case <-s.wake:
		}
	}
}

func (s *subscription) take() []Observation {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Observation, 0, len(s.order))
	for _, id := range s.order {
		list = append(list, s.pending[id])
	}
	clear(s.pending)
	s.order = s.order[:0]
	return list
}
