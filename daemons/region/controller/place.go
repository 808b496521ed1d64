package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// Depends implements sched.Dependent: the answer is in the labels of the host.
func (ReadyFilter) Depends(*sched.Request) sched.Dependency { return sched.OnHost }

// Filter implements sched.Filter.
func (ReadyFilter) Filter(_ *sched.Request, h sched.HostView) sched.Reason {
	if why, ok := h.Label(LabelNotReady); ok {
		return sched.Reason("is not ready: " + why)
	}
	return ""
}

// place finds hosts for servers alike, by id, and takes their shares from the ledger; whoever does not write
// the servers down gives them back. Those without a host are not in hosts, and why says for what reason; when
// whole is set, or none fits, that is the error.
func (c *Controller) place(ctx context.Context, model set.Server, ids []string, whole bool) (hosts map[string]string, why, err error) {
	if err := c.begun.wait(ctx); err != nil {
		return nil, nil, err
	}
	c.placing.Lock()
	defer c.placing.Unlock()
	snap := c.ledger.Snapshot()
	if snap.Len() == 0 {
		return nil, nil, fmt.Errorf("%w: no host has ever reported to this region: start moset-host", set.ErrNoCapacity)
	}
	batch := sched.Batch{Set: request(model), N: len(ids), IDs: ids, Min: 1}
	batch.Set.ID = ids[0]
	batch.Set.Layers = c.layersOf(model)
	if whole {
		batch.Min = len(ids)
	}
	plan, err := c.cfg.Planner.Plan(ctx, snap, batch)
	if err != nil {
		return nil, nil, noFit(err)
	}
	if err := onlyAsked(plan, ids); err != nil {
		return nil, nil, err
	}
	result, err := c.ledger.Commit(ctx, plan, sched.Mode{AllOrNothing: whole})
	if err != nil && (len(result.Accepted) == 0 || !errors.Is(err, sched.ErrConflict)) {
		return nil, nil, noFit(err)
	}
	hosts = map[string]string{}
	for _, claim := range result.Accepted {
		hosts[claim.SetID] = claim.HostID
	}
	if err == nil {
		err = fmt.Errorf("%w: %s", sched.ErrNoFit, plan.Why)
	}
	return hosts, noFit(err), nil
}

// onlyAsked refuses the plan of a scheduler that places what nobody asked for: it would never be given back.
func onlyAsked(p sched.Plan, ids []string) error {
	asked := make(map[string]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	for _, claim := range p.Claims {
		if !asked[claim.SetID] {
			return fmt.Errorf("the scheduler placed %q, which it was not asked to", claim.SetID)
		}
	}
	return nil
}

// noFit gives a scheduler's errors set's sentinels; the counts of the filters are in the text.
func noFit(err error) error {
	var no *sched.NoFitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &no):
		return fmt.Errorf("%w: %s", set.ErrNoCapacity, strings.TrimPrefix(no.Error(), sched.ErrNoFit.Error()+": "))
	case errors.Is(err, sched.ErrNoFit):
		return fmt.Errorf("%w: %s", set.ErrNoCapacity, strings.TrimPrefix(err.Error(), sched.ErrNoFit.Error()+": "))
	case errors.Is(err, sched.ErrConflict):
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
