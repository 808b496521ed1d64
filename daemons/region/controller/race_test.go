package controller_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// meddling is a store where somebody else always writes a server's record just before it is removed.
type meddling struct {
	store.Store
	mu   sync.Mutex
	done map[string]bool
}

func (m *meddling) Commit(ctx context.Context, t store.Txn) (uint64, error) {
	for _, key := range t.Deletes {
		if !strings.HasPrefix(key, "server/") || !m.first(key) {
			continue
		}
		i, err := m.Store.Get(ctx, key)
		if err != nil {
			return 0, err
		}
		var touch store.Txn
		touch.Put(key, i.Value)
		if _, err := m.Store.Commit(ctx, touch); err != nil {
			return 0, err
		}
	}
	return m.Store.Commit(ctx, t)
}

func (m *meddling) first(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := !m.done[key]
	m.done[key] = true
	return first
}

func TestADeleteThatMeetsAnotherWriterGoesOnAtOnce(t *testing.T) {
	var log lines
	r := newRegion(t, func(c *controller.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	require.NoError(t, r.Close())
	m := &meddling{Store: r.store, done: map[string]bool{}}
	r.openOn(t, m)
	r.fakes(t, "host-1", 1)
	task, err := r.mine().Create(t.Context(), request("web"))
	done(t, r.mine(), task, err)
	task, err = r.mine().Delete(t.Context(), "web", set.DeleteOptions{})
	done(t, r.mine(), task, err)
	assert.Len(t, m.done, 1, "the removal met nobody")
	assert.NotContains(t, log.String(), "will try again")
}

// lines is a log that several goroutines write.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
