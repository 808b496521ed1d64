package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/set"
)

// LabelNotReady is on every host that takes no servers just now; its value says why.
const LabelNotReady = "moset.not-ready"

// ReadyFilter leaves out hosts that carry LabelNotReady. A scheduler of one's own needs it, or a filter of
// the same effect.
type ReadyFilter struct{}

// Name implements sched.Filter.
func (ReadyFilter) Name() string { return "ready" }

// Filter implements sched.Filter.
func (ReadyFilter) Filter(_ *sched.Request, h sched.HostView) sched.Reason {
	if why, ok := h.Label(LabelNotReady); ok {
		return sched.Reason("is not ready: " + why)
	}
	return ""
}

// place gives a server a host and an address: both are in s, the address in the Txn too, the host's share
// in the ledger. Whoever does not commit the Txn releases the ledger.
func (c *Controller) place(ctx context.Context, s *set.Server, n ipam.Network, t *store.Txn) error {
	host, err := c.schedule(ctx, *s)
	if err != nil {
		return err
	}
	a, err := c.cfg.Networks.Allocate(ctx, t, n, s.ID, networkRequest(s.Spec))
	if err != nil {
		c.ledger.Release(s.ID)
		return err
	}
	s.Host, s.Addresses = host, []set.Address{a}
	s.Epoch++
	s.Observed, s.Fault = set.Observed{}, nil
	return nil
}

func (c *Controller) schedule(ctx context.Context, s set.Server) (host string, err error) {
	c.placing.Lock()
	defer c.placing.Unlock()
	snap := c.ledger.Snapshot()
	if len(snap.Hosts) == 0 {
		return "", fmt.Errorf("%w: no host has ever reported to this region: start moset-host", set.ErrNoCapacity)
	}
	plan, err := c.cfg.Planner.Plan(ctx, snap, sched.Batch{Set: request(s), IDs: []string{s.ID}})
	if err != nil {
		return "", noFit(err)
	}
	if len(plan.Claims) != 1 {
		return "", fmt.Errorf("%w: the scheduler placed %d servers instead of one", set.ErrNoCapacity, len(plan.Claims))
	}
	if _, err := c.ledger.Commit(ctx, plan, sched.Mode{}); err != nil {
		return "", noFit(err)
	}
	return plan.Claims[0].HostID, nil
}

// noFit gives a scheduler's errors set's sentinels; the counts of the filters are in the text.
func noFit(err error) error {
	var no *sched.NoFitError
	switch {
	case errors.As(err, &no):
		return fmt.Errorf("%w: %s", set.ErrNoCapacity, strings.TrimPrefix(no.Error(), sched.ErrNoFit.Error()+": "))
	case errors.Is(err, sched.ErrNoFit), errors.Is(err, sched.ErrConflict):
		return fmt.Errorf("%w: %w", set.ErrNoCapacity, err)
	case errors.Is(err, sched.ErrInvalid):
		return fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	return err
}

// request is a server as the scheduler sees it.
func request(s set.Server) sched.Set {
	r := sched.Set{ID: s.ID, Group: s.ServiceID, Need: need(s.Spec)}
	for k, v := range s.Spec.HostLabels {
		r.Require = append(r.Require, sched.Selector{Key: k, Values: []string{v}})
	}
	slices.SortFunc(r.Require, func(a, b sched.Selector) int { return strings.Compare(a.Key, b.Key) })
	return r
}

func need(s set.Spec) sched.Vector {
	return sched.Vector{sched.CPU: int64(s.Resources.CPU), sched.Memory: int64(s.Resources.Memory), sched.Pids: s.Resources.Pids}
}
