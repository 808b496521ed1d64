package hostnet

import (
	"context"
	"fmt"
	"time"
)

func errClosed() error { return fmt.Errorf("%w: this Host is closed", ErrUnavailable) }

// work does the jobs of the queue, one commit after the other.
func (h *Host) work(ctx context.Context) {
	defer h.done.Done()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.queue.wake:
		}
		if h.cfg.BatchDelay > 0 {
			time.Sleep(h.cfg.BatchDelay)
		}
		if group := h.queue.take(h.cfg.MaxBatch); len(group) > 0 {
			h.perform(ctx, group)
		}
	}
}

// perform does one group. It runs to its end even when a caller leaves or the Host is
// closed, so nothing stays half done.
func (h *Host) perform(ctx context.Context, group []*job) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*h.cfg.Timeout)
	defer cancel()
	var results []outcome
	switch first := group[0]; {
	case first.run != nil:
		results = []outcome{{err: first.run(ctx)}}
	case first.attach != nil:
		specs := make([]PortSpec, len(group))
		for i, j := range group {
			specs[i] = *j.attach
		}
		results = h.attachBatch(ctx, specs)
	default:
		ids := make([]PortID, len(group))
		for i, j := range group {
			ids[i] = j.detach
		}
		results = h.detachBatch(ctx, ids)
	}
	for i, j := range group {
		j.result <- results[i]
	}
}

// submit queues jobs and waits for all of them; the outcomes are in the jobs' order. A caller that leaves
// early gets its context's error for what is not done yet; repeating the call finds out.
func (h *Host) submit(ctx context.Context, jobs []*job) []outcome {
	outcomes := make([]outcome, len(jobs))
	for _, j := range jobs {
		j.ctx, j.result = ctx, make(chan outcome, 1)
	}
	if !h.queue.add(jobs...) {
		for i := range outcomes {
			outcomes[i].err = errClosed()
		}
		return outcomes
	}
	for i, j := range jobs {
		select {
		case outcomes[i] = <-j.result:
		case <-ctx.Done():
			outcomes[i].err = ctx.Err()
		}
	}
	return outcomes
}

// alone runs fn on the worker, with no commit beside it.
func (h *Host) alone(ctx context.Context, fn func(ctx context.Context) error) error {
	return h.submit(ctx, []*job{{run: fn}})[0].err
}
