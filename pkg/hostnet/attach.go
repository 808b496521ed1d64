package hostnet

import (
	"context"
	"errors"
)

// Attach makes ports and returns when packets can flow. It is idempotent: a port that is as it should be
// is left alone, one whose limits or groups differ is changed in place, one whose cable differs or is gone
// is made anew. Statuses are in the order of the specs; a port that failed has its Problem set, leaves
// nothing behind and does not keep the others from being attached. The error joins all problems.
// Errors: ErrInvalid, ErrUnsupported, ErrNotFound (no such namespace), ErrConflict (address, MAC or
// interface name taken), ErrUnavailable.
func (h *Host) Attach(ctx context.Context, specs ...PortSpec) ([]PortStatus, error) {
	statuses := make([]PortStatus, len(specs))
	problems := make([]error, len(specs))
	var jobs []*job
	var at []int
	for i, s := range specs {
		s = s.normal()
		statuses[i].Spec = s
		if problems[i] = s.validate(); problems[i] == nil {
			jobs = append(jobs, &job{attach: &s})
			at = append(at, i)
		}
	}
	for k, o := range h.submit(ctx, jobs) {
		statuses[at[k]], problems[at[k]] = o.status, o.err
	}
	for i := range problems {
		problems[i] = fail("attach", string(specs[i].ID), problems[i])
		if problems[i] != nil {
			statuses[i] = PortStatus{Spec: specs[i], Problem: problems[i]}
		}
	}
	return statuses, errors.Join(problems...)
}

// attachBatch attaches ports of different ids in one commit. Ports that the switch gave another number,
// because other software took ours meanwhile, get another try.
func (h *Host) attachBatch(ctx context.Context, specs []PortSpec) []outcome {
	outcomes := make([]outcome, len(specs))
	again := make([]int, len(specs))
	for i := range specs {
		again[i] = i
	}
	for range 3 {
		b := newBatch(h, pick(specs, again))
		b.apply(ctx)
		var taken []int
		for k, s := range b.slots {
			outcomes[again[k]] = outcome{status: s.status, err: s.err}
			if errors.Is(s.err, errNumberTaken) {
				taken = append(taken, again[k])
			}
		}
		if again = taken; len(again) == 0 {
			break
		}
	}
	return outcomes
}

func pick(specs []PortSpec, at []int) []PortSpec {
	picked := make([]PortSpec, len(at))
	for k, i := range at {
		picked[k] = specs[i]
	}
	return picked
}
