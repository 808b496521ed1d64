package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/store"
)

func TestWatcherThatFallsBehindIsToldToListAgain(t *testing.T) {
	var f store.Feed
	slow := f.Watch(t.Context(), "a/")
	const commits = 5000
	for n := range uint64(commits) {
		f.Publish([]store.Change{{Item: store.Item{Key: "a/1", Revision: n + 1}}})
	}
	seen, last := 0, error(nil)
	for _, err := range slow {
		if last = err; err == nil {
			seen++
		}
	}
	require.ErrorIs(t, last, store.ErrConflict)
	assert.Contains(t, last.Error(), "list again")
	assert.Positive(t, seen)
	assert.Less(t, seen, commits)
}

func TestWatcherSeesItsPrefixOnlyAndMayStop(t *testing.T) {
	var f store.Feed
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes := f.Watch(ctx, "a/")
	f.Publish([]store.Change{{Item: store.Item{Key: "b/1"}}, {Item: store.Item{Key: "a/1"}}, {Item: store.Item{Key: "a/2"}}})
	for c, err := range changes {
		require.NoError(t, err)
		assert.Equal(t, "a/1", c.Key)
		break
	}
	f.Publish([]store.Change{{Item: store.Item{Key: "a/3"}}}) // nobody listens any more
}

func TestChangesOfATransaction(t *testing.T) {
	var txn store.Txn
	txn.Expect("a", 6)
	txn.Put("a", []byte("1"))
	txn.Delete("b", "c")
	assert.Equal(t, []store.Change{
		{Item: store.Item{Key: "a", Value: []byte("1"), Revision: 7}},
		{Item: store.Item{Key: "b", Revision: 7}, Deleted: true},
		{Item: store.Item{Key: "c", Revision: 7}, Deleted: true},
	}, txn.Changes(7))
	assert.Equal(t, []store.Check{{Key: "a", Revision: 6}}, txn.Checks)
}

func TestConflictNamesTheRecord(t *testing.T) {
	err := fmt.Errorf("write: %w", &store.ConflictError{Key: "server/1"})
	require.ErrorIs(t, err, store.ErrConflict)
	assert.Equal(t, "write: record server/1: the record changed meanwhile", err.Error())
}
