package hostnet

import (
	"context"
	"fmt"

	"github.com/digitalocean/go-openvswitch/ovs"
)

// SetLimits changes the bandwidth of a port while traffic flows. Errors: ErrNotFound, ErrInvalid.
func (h *Host) SetLimits(ctx context.Context, id PortID, toContainer, fromContainer Limit) error {
	if err := checkLimit("ToContainer", toContainer); err != nil {
		return fail("set limits of", string(id), err)
	}
	if err := checkLimit("FromContainer", fromContainer); err != nil {
		return fail("set limits of", string(id), err)
	}
	err := h.alone(ctx, func(ctx context.Context) error {
		t, err := h.readTable(ctx)
		if err != nil {
			return err
		}
		row, ok := t.mine[id]
		if !ok {
			return fmt.Errorf("%w: no such port is attached", ErrNotFound)
		}
		after := t.specs[id]
		after.ToContainer, after.FromContainer = toContainer, fromContainer
		return h.change(ctx, row, t.specs[id], after)
	})
	return fail("set limits of", string(id), err)
}

// change brings a live port from one spec to another of the same wiring.
func (h *Host) change(ctx context.Context, row PortRow, before, after PortSpec) error {
	if !sameLimits(before, after) {
		if err := h.parts.Shaper.Shape(ctx, linkSpec(row.Name, after), after.ToContainer, after.FromContainer); err != nil {
			return err
		}
	}
	ids, err := externalIDs(after, h.cfg.Owner, h.cfg.OwnerName)
	if err != nil {
		return err
	}
	flows := FlowChange{Delete: []*ovs.MatchFlow{portFlows(h.cfg.Owner, row.Request)}, Add: renderPort(wiring{h.cfg.Owner, row.Request, after})}
	if !sameNotes(before, after) {
		if err := h.parts.Flows.Apply(ctx, flows); err != nil {
			return err
		}
	}
	return h.parts.Ports.Commit(ctx, PortChange{Update: []PortRow{{Name: row.Name, ExternalIDs: ids}}})
}
