package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// once makes a mutation with an idempotency key happen once.
type once struct {
	c       *Controller
	project string
	given   string // the caller's key; "" is no key
	hash    string // of what was asked
}

// onceRecord is what the store keeps for a key.
type onceRecord struct {
	Hash   string `json:"hash"`
	TaskID string `json:"task_id"`
}

func (t tenant) once(v set.Verb, key string, what any) once {
	sum := sha256.Sum256(append([]byte(v), encode(what)...))
	return once{c: t.c, project: t.who.ProjectID, given: key, hash: hex.EncodeToString(sum[:])}
}

func (o once) key() string { return idemKey(o.project, o.given) }

// earlier returns the task of the first request with this key. Errors: set.ErrConflict when that one asked
// for something else.
func (o once) earlier(ctx context.Context) (task set.Task, done bool, err error) {
	if o.given == "" {
		return task, false, nil
	}
	rec, _, err := get[onceRecord](ctx, o.c.cfg.Store, o.key())
	if errors.Is(err, store.ErrNotFound) {
		return task, false, nil
	}
	if err != nil {
		return task, false, err
	}
	if rec.Hash != o.hash {
		return task, false, fmt.Errorf("%w: the idempotency key was used for another request: choose a new one", set.ErrConflict)
	}
	task, err = o.c.task(ctx, rec.TaskID)
	return task, err == nil, err
}

// record adds the key to the Txn.
func (o once) record(t *store.Txn, taskID string) {
	if o.given == "" {
		return
	}
	t.Expect(o.key(), 0)
	t.Put(o.key(), encode(onceRecord{o.hash, taskID}))
}
