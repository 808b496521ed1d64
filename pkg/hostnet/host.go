package hostnet

import (
	"context"
	"log/slog"
	"sync"
)

// Host attaches the ports of one owner to one bridge. It is safe for concurrent use; callers that come at
// the same time share one commit to the switch. Closing it leaves the ports as they are.
type Host struct {
	cfg   Config
	parts Parts
	log   *slog.Logger

	queue   *queue
	events  chan Event
	stop    context.CancelFunc
	release func() // what Open opened
	done    sync.WaitGroup

	numbers numberer
	groups  map[GroupID]Group // of the worker only
}

// New puts a Host together from parts that are ready to use, and installs the rules of ports that are
// already there. Most callers want Open.
func New(ctx context.Context, cfg Config, parts Parts) (*Host, error) {
	cfg = cfg.withDefaults()
	if cfg.Owner == 0 {
		return nil, fail("open bridge", cfg.Bridge, invalid("Owner must be 1 to 65535"))
	}
	running, stop := context.WithCancel(context.Background())
	h := &Host{cfg: cfg, parts: parts, log: cfg.Logger, queue: newQueue(), events: make(chan Event, eventBacklog),
		stop: stop, groups: map[GroupID]Group{}}
	if err := h.takeOver(ctx); err != nil {
		stop()
		return nil, fail("open bridge", cfg.Bridge, err)
	}
	h.done.Add(2)
	go h.work(running)
	go h.watch(running)
	return h, nil
}

// takeOver makes rules and links agree with what the port table says is ours.
func (h *Host) takeOver(ctx context.Context) error {
	if err := h.ensureUplink(ctx); err != nil {
		return err
	}
	if err := h.reinstall(ctx, kindCanary, kindUplink, kindPort); err != nil {
		return err
	}
	return h.sweepLinks(ctx)
}

// Check is nil while the switch takes orders, and otherwise says in one sentence why not: ErrUnavailable.
func (h *Host) Check(ctx context.Context) error {
	if _, err := h.parts.Ports.List(ctx); err != nil {
		return fail("check bridge", h.cfg.Bridge, err)
	}
	_, err := h.parts.Flows.Has(ctx, canary(h.cfg.Owner))
	return fail("check bridge", h.cfg.Bridge, err)
}

// Close ends the Host's own work. Ports and rules stay.
func (h *Host) Close() error {
	h.queue.close()
	h.stop()
	h.done.Wait()
	if h.release != nil {
		h.release()
	}
	return nil
}
