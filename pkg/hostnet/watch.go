package hostnet

import (
	"context"
	"time"
)

// EventKind says what happened.
type EventKind string

// What a Host notices by itself.
const (
	// SwitchDown: the switch stopped answering. New ports fail; what flows may go on flowing.
	SwitchDown EventKind = "switch down"
	// SwitchUp: it answers again and has kept its rules.
	SwitchUp EventKind = "switch up"
	// SwitchRestarted: it had lost its rules, and they are back.
	SwitchRestarted EventKind = "switch restarted"
)

// Event is one thing a Host noticed and, where it could, repaired.
type Event struct {
	Kind EventKind
	Time time.Time
	Err  error // why the switch is down; nil otherwise
}

// eventBacklog is how many events wait for a reader before the oldest are dropped.
const eventBacklog = 16

// Events delivers what the Host notices. Nobody has to read it: old events give way to new ones. It is
// never closed.
func (h *Host) Events() <-chan Event { return h.events }

// watch looks for the canary until the Host closes.
func (h *Host) watch(ctx context.Context) {
	defer h.done.Done()
	ticker := time.NewTicker(h.cfg.Watch)
	defer ticker.Stop()
	down := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			down = h.look(ctx, down)
		}
	}
}

// look checks once, repairs, and tells whether the switch is down.
func (h *Host) look(ctx context.Context, wasDown bool) (down bool) {
	alive, err := h.parts.Flows.Has(ctx, canary(h.cfg.Owner))
	if err == nil && alive {
		if wasDown {
			h.emit(SwitchUp, nil)
		}
		return false
	}
	if err == nil {
		if err = h.alone(ctx, h.repair); err == nil {
			h.emit(SwitchRestarted, nil)
			return false
		}
	}
	if ctx.Err() == nil && !wasDown {
		h.emit(SwitchDown, err)
	}
	return true
}

// repair puts back what a restarted switch lost. Rules of ports do not wait for an uplink that is gone.
func (h *Host) repair(ctx context.Context) error {
	if err := h.reinstall(ctx, kindCanary, kindUplink, kindPort, kindGroup); err != nil {
		return err
	}
	if err := h.ensureUplink(ctx); err != nil {
		h.log.Error("the uplink is not back; the next reconcile tries again", "bridge", h.cfg.Bridge, "uplink", h.cfg.Uplink, "err", err)
	}
	return nil
}

func (h *Host) emit(kind EventKind, err error) {
	h.log.Warn(string(kind), "bridge", h.cfg.Bridge, "err", err)
	e := Event{Kind: kind, Time: time.Now(), Err: err}
	for {
		select {
		case h.events <- e:
			return
		default:
		}
		select {
		case <-h.events:
		default:
		}
	}
}
