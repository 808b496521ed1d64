// Package memory is a store.Store that keeps nothing, for tests.
package memory

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/moset/moset/daemons/region/store"
)

// Store implements store.Store.
type Store struct {
	store.Feed
	mu       sync.Mutex
	items    map[string]store.Item
	revision uint64
}

var _ store.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{items: map[string]store.Item{}} }

// Get implements store.Store.
func (s *Store) Get(_ context.Context, key string) (store.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.items[key]
	if !ok {
		return i, store.ErrNotFound
	}
	return i, nil
}

// List implements store.Store.
func (s *Store) List(_ context.Context, prefix, after string, limit int) ([]store.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []store.Item
	for k, i := range s.items {
		if strings.HasPrefix(k, prefix) && k > after {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b store.Item) int { return strings.Compare(a.Key, b.Key) })
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return list, nil
}

// Commit implements store.Store.
func (s *Store) Commit(_ context.Context, t store.Txn) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range t.Checks {
		if s.items[c.Key].Revision != c.Revision {
			return 0, &store.ConflictError{Key: c.Key}
		}
	}
	s.revision++
	for _, p := range t.Puts {
		p.Revision = s.revision
		s.items[p.Key] = p
	}
	for _, k := range t.Deletes {
		delete(s.items, k)
	}
	s.Publish(t.Changes(s.revision))
	return s.revision, nil
}

// Close implements store.Store.
func (s *Store) Close() error { return nil }
