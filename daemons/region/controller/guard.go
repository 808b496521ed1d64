package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moset/moset/pkg/set"
)

// guarded is the agent of a host that may answer nonsense or nothing: every call ends in time, an answer is
// about what was asked, and whatever is not set's own error is set.ErrUnavailable, to be tried again.
type guarded struct {
	set.Agent // Watch is its own: it notices silence by itself
	host      string
	limit     time.Duration // of a call
}

// Apply implements set.Agent.
func (g guarded) Apply(ctx context.Context, a set.Assignment) (set.Observation, error) {
	return ask(ctx, g, a.ServerID, func(ctx context.Context) (set.Observation, error) { return g.Agent.Apply(ctx, a) })
}

// Remove implements set.Agent.
func (g guarded) Remove(ctx context.Context, r set.Removal) (set.Observation, error) {
	return ask(ctx, g, r.ServerID, func(ctx context.Context) (set.Observation, error) { return g.Agent.Remove(ctx, r) })
}

// Observe implements set.Agent.
func (g guarded) Observe(ctx context.Context, ids ...string) ([]set.Observation, error) {
	limited, cancel := context.WithTimeout(ctx, g.limit)
	defer cancel()
	list, err := g.Agent.Observe(limited, ids...)
	if err != nil {
		return nil, g.judge(ctx, err)
	}
	for _, o := range list {
		if len(ids) > 0 && !slices.Contains(ids, o.ServerID) {
			return nil, g.mistaken(o)
		}
	}
	return list, nil
}

func ask(ctx context.Context, g guarded, id string, call func(context.Context) (set.Observation, error)) (set.Observation, error) {
	limited, cancel := context.WithTimeout(ctx, g.limit)
	defer cancel()
	o, err := call(limited)
	if err == nil && o.ServerID != id {
		err = g.mistaken(o)
	}
	return o, g.judge(ctx, err)
}

func (g guarded) mistaken(o set.Observation) error {
	return fmt.Errorf("%w: host %s answers about %.80q, which was not asked", set.ErrUnavailable, g.host, o.ServerID)
}

// judge says what an error of a call means; caller is the context without the limit.
func (g guarded) judge(caller context.Context, err error) error {
	switch {
	case err == nil, caller.Err() != nil:
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: host %s did not answer within %s", set.ErrUnavailable, g.host, g.limit)
	case errors.Is(err, set.ErrUnavailable):
		return fmt.Errorf("host %s: %w", g.host, err)
	case slices.ContainsFunc([]error{set.ErrInvalid, set.ErrConflict, set.ErrStaleEpoch, set.ErrNotFound}, func(known error) bool { return errors.Is(err, known) }):
		return err
	}
	return fmt.Errorf("%w: host %s: %w", set.ErrUnavailable, g.host, err)
}
