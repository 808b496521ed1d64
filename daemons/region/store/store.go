// Package store is where a region keeps its records: ordered keys, transactions over several keys that
// check what they read, and a feed of changes. Values are opaque bytes.
//
// store/sqlite is the default, durable on one machine; store/memory is for tests. Both pass
// storetest.Test. The interface asks for nothing that a distributed store such as etcd could not do: no
// scans by value, one revision counter, checks by revision.
package store

import (
	"context"
	"errors"
	"iter"
)

// The errors of a Store; test with errors.Is.
var (
	ErrNotFound    = errors.New("no such record")
	ErrConflict    = errors.New("the record changed meanwhile")
	ErrUnavailable = errors.New("the store does not answer")
)

// Store holds records.
type Store interface {
	// Get returns one record. Errors: ErrNotFound.
	Get(ctx context.Context, key string) (Item, error)
	// List returns up to limit records (0: all) whose keys begin with prefix and come after the key after, in order.
	List(ctx context.Context, prefix, after string, limit int) ([]Item, error)
	// Commit does all of a Txn, durably, or nothing. Errors: ErrConflict, as a *ConflictError naming the key.
	Commit(ctx context.Context, t Txn) (revision uint64, err error)
	// Watch yields the changes to keys that begin with prefix and happen after the call, in order of
	// revision, until ctx ends. A consumer too slow to keep up gets ErrConflict and has to list again.
	Watch(ctx context.Context, prefix string) iter.Seq2[Change, error]
	// Close ends the store.
	Close() error
}

// Item is one record.
type Item struct {
	Key      string
	Value    []byte
	Revision uint64 // of the Commit that wrote it last; at least 1
}

// Txn is a set of changes with the conditions they depend on.
type Txn struct {
	Checks  []Check
	Puts    []Item // Revision is not read
	Deletes []string
}

// Check holds when the record has that revision; 0 when it does not exist.
type Check struct {
	Key      string
	Revision uint64
}

// Change is one write as seen by Watch.
type Change struct {
	Item
	Deleted bool
}

// ConflictError names the first check that did not hold.
type ConflictError struct{ Key string }

// Error is one sentence.
func (e *ConflictError) Error() string { return "record " + e.Key + ": " + ErrConflict.Error() }

// Unwrap makes it ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }

// Put adds a record to the Txn.
func (t *Txn) Put(key string, value []byte) { t.Puts = append(t.Puts, Item{Key: key, Value: value}) }

// Delete adds a removal to the Txn.
func (t *Txn) Delete(keys ...string) { t.Deletes = append(t.Deletes, keys...) }

// Expect adds a condition to the Txn.
func (t *Txn) Expect(key string, revision uint64) {
	t.Checks = append(t.Checks, Check{key, revision})
}
