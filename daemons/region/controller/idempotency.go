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
	Hash  string     `json:"hash"`
	Items []onceItem `json:"items"` // one, but for a batch
}

// onceItem is what became of one server: its task or why it was refused.
type onceItem struct {
	Name   string     `json:"name"`
	TaskID string     `json:"task_id,omitempty"`
	Fault  *set.Fault `json:"fault,omitempty"`
}

func (t tenant) once(v set.Verb, key string, what any) once {
	sum := sha256.Sum256(append([]byte(v), encode(what)...))
	return once{c: t.c, project: t.who.ProjectID, given: key, hash: hex.EncodeToString(sum[:])}
}

func (o once) key() string { return idemKey(o.project, o.given) }

// earlier returns the task of the first request with this key. Errors: set.ErrConflict when that one asked
// for something else.
func (o once) earlier(ctx context.Context) (task set.Task, done bool, err error) {
	items, err := o.lookUp(ctx)
	if err != nil || len(items) == 0 {
		return task, false, err
	}
	task, err = o.c.task(ctx, items[0].TaskID)
	return task, err == nil, err
}

// earlierBatch is earlier for a request about many servers.
func (o once) earlierBatch(ctx context.Context) (b set.Batch, done bool, err error) {
	items, err := o.lookUp(ctx)
	if err != nil || len(items) == 0 {
		return b, false, err
	}
	for _, i := range items {
		item := set.BatchItem{Name: i.Name, Fault: i.Fault}
		if i.TaskID != "" {
			task, err := o.c.task(ctx, i.TaskID)
			if err != nil {
				return b, false, err
			}
			item.Task = &task
		}
		b.Items = append(b.Items, item)
	}
	return b, true, nil
}

func (o once) lookUp(ctx context.Context) ([]onceItem, error) {
	if o.given == "" {
		return nil, nil
	}
	rec, _, err := get[onceRecord](ctx, o.c.cfg.Store, o.key())
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err == nil && rec.Hash != o.hash {
		return nil, fmt.Errorf("%w: the idempotency key was used for another request: choose a new one", set.ErrConflict)
	}
	return rec.Items, err
}

// record adds the key to the Txn, with what was decided.
func (o once) record(t *store.Txn, members ...member) {
	if o.given == "" {
		return
	}
	rec := onceRecord{Hash: o.hash}
	for _, m := range members {
		item := onceItem{Name: m.task.Subject(), TaskID: m.task.ID}
		if m.err != nil {
			item.TaskID, item.Fault = "", set.NewFault(m.err, m.task.CreatedAt)
		}
		rec.Items = append(rec.Items, item)
	}
	t.Expect(o.key(), 0)
	t.Put(o.key(), encode(rec))
}
