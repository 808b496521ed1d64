// Package storetest is the contract of store.Store as a suite of tests.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/store"
)

// Test runs the suite; open returns an empty store and may be called often.
func Test(t *testing.T, open func(*testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store){
		"a record comes back as written":        comesBack,
		"a list is ordered and paged":           listed,
		"a failed check changes nothing":        checked,
		"of many racers one wins each revision": raced,
		"a watch sees changes in order":         watched,
		"a watch ends with its context":         watchEnds,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			test(t, s)
		})
	}
}

func put(t *testing.T, s store.Store, key, value string) uint64 {
	t.Helper()
	var txn store.Txn
	txn.Put(key, []byte(value))
	rev, err := s.Commit(context.Background(), txn)
	require.NoError(t, err)
	return rev
}

func comesBack(t *testing.T, s store.Store) {
	ctx := context.Background()
	_, err := s.Get(ctx, "a")
	require.ErrorIs(t, err, store.ErrNotFound)
	first := put(t, s, "a", "1")
	second := put(t, s, "a", "2")
	assert.Greater(t, second, first)
	i, err := s.Get(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, store.Item{Key: "a", Value: []byte("2"), Revision: second}, i)
	var empty store.Txn
	empty.Put("a", nil)
	_, err = s.Commit(ctx, empty)
	require.NoError(t, err)
	i, err = s.Get(ctx, "a")
	require.NoError(t, err)
	assert.Empty(t, i.Value)
	var del store.Txn
	del.Delete("a")
	_, err = s.Commit(ctx, del)
	require.NoError(t, err)
	_, err = s.Get(ctx, "a")
	assert.ErrorIs(t, err, store.ErrNotFound)
}

func listed(t *testing.T, s store.Store) {
	for _, k := range []string{"b/3", "b/1", "a/9", "b/2", "c/0", "b"} {
		put(t, s, k, k)
	}
	keys := func(prefix, after string, limit int) []string {
		list, err := s.List(context.Background(), prefix, after, limit)
		require.NoError(t, err)
		out := []string{}
		for _, i := range list {
			out = append(out, i.Key)
		}
		return out
	}
	assert.Equal(t, []string{"b/1", "b/2", "b/3"}, keys("b/", "", 0))
	assert.Equal(t, []string{"b/1", "b/2"}, keys("b/", "", 2))
	assert.Equal(t, []string{"b/3"}, keys("b/", "b/2", 2))
	assert.Equal(t, []string{}, keys("d/", "", 0))
}

func checked(t *testing.T, s store.Store) {
	ctx := context.Background()
	rev := put(t, s, "a", "1")
	for _, wrong := range []store.Check{{Key: "a", Revision: 0}, {Key: "a", Revision: rev + 1}, {Key: "missing", Revision: 1}} {
		txn := store.Txn{Checks: []store.Check{wrong}}
		txn.Put("a", []byte("2"))
		txn.Put("b", []byte("2"))
		_, err := s.Commit(ctx, txn)
		var conflict *store.ConflictError
		require.ErrorAs(t, err, &conflict)
		assert.ErrorIs(t, err, store.ErrConflict)
		assert.Equal(t, wrong.Key, conflict.Key)
	}
	i, err := s.Get(ctx, "a")
	require.NoError(t, err)
	assert.Equal(t, "1", string(i.Value))
	_, err = s.Get(ctx, "b")
	assert.ErrorIs(t, err, store.ErrNotFound)
}

func raced(t *testing.T, s store.Store) {
	ctx := context.Background()
	put(t, s, "n", "0")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for done := 0; done < 20; {
				i, err := s.Get(ctx, "n")
				if !assert.NoError(t, err) {
					return
				}
				var n int
				_, _ = fmt.Sscan(string(i.Value), &n)
				txn := store.Txn{Checks: []store.Check{{Key: "n", Revision: i.Revision}}}
				txn.Put("n", fmt.Append(nil, n+1))
				_, err = s.Commit(ctx, txn)
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrConflict):
					assert.NoError(t, err)
					return
				}
			}
		})
	}
	all.Wait()
	i, err := s.Get(ctx, "n")
	require.NoError(t, err)
	assert.Equal(t, "160", string(i.Value))
}

func watched(t *testing.T, s store.Store) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	changes := s.Watch(ctx, "x/")
	put(t, s, "x/1", "a")
	put(t, s, "y/1", "not seen")
	var del store.Txn
	del.Delete("x/1")
	_, err := s.Commit(ctx, del)
	require.NoError(t, err)
	put(t, s, "x/2", "b")
	var seen []string
	var last uint64
	for c, err := range changes {
		require.NoError(t, err)
		assert.Greater(t, c.Revision, last)
		last = c.Revision
		seen = append(seen, fmt.Sprintf("%s %t %s", c.Key, c.Deleted, c.Value))
		if len(seen) == 3 {
			break
		}
	}
	assert.Equal(t, []string{"x/1 false a", "x/1 true ", "x/2 false b"}, seen)
}

func watchEnds(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	changes := s.Watch(ctx, "")
	cancel()
	for range changes {
		t.Fatal("a change after the end")
	}
}
