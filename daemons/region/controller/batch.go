package controller

import (
	"context"
	"errors"
	"time"

	"github.com/moset/moset/pkg/set"
)

var _ set.BatchCreator = tenant{}

// CreateBatch implements set.BatchCreator.
func (t tenant) CreateBatch(ctx context.Context, req set.BatchRequest) (set.Batch, error) {
	b, err := t.createBatch(ctx, req)
	return b, wrap("create servers", req.Name, err)
}

func (t tenant) createBatch(ctx context.Context, req set.BatchRequest) (set.Batch, error) {
	received := time.Now()
	if err := t.mayWrite(); err != nil {
		return set.Batch{}, err
	}
	if req.Desired == "" {
		req.Desired = set.DesiredRunning
	}
	if err := req.Validate(); err != nil {
		return set.Batch{}, err
	}
	once := t.once(set.VerbCreate, req.IdempotencyKey, req)
	if batch, done, err := once.earlierBatch(ctx); done || err != nil {
		return batch, err
	}
	b, err := t.prepare(ctx, req.CreateRequest, received)
	if err != nil {
		return set.Batch{}, err
	}
	b.names, b.whole, b.once = req.Names(), req.AllOrNothing, once
	members, err := t.burst(ctx, b)
	if errors.Is(err, set.ErrConflict) { // perhaps with the same request, sent twice at the same time
		if batch, done, err := once.earlierBatch(ctx); done || err != nil {
			return batch, err
		}
	}
	return batchOf(members), err
}

func batchOf(members []member) set.Batch {
	var b set.Batch
	for _, m := range members {
		item := set.BatchItem{Name: m.server.Name}
		if m.err != nil {
			item.Fault = set.NewFault(m.err, m.task.CreatedAt)
		} else {
			item.Task = &m.task
		}
		b.Items = append(b.Items, item)
	}
	return b
}
