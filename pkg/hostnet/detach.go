package hostnet

import (
	"context"
	"errors"
	"slices"
)

// Detach takes ports away: the link first, so nothing passes any more, then row and rules. A port that is
// not there, or whose namespace is gone, is fine. The error joins those of all ports.
func (h *Host) Detach(ctx context.Context, ids ...PortID) error {
	jobs := make([]*job, len(ids))
	for i, id := range ids {
		jobs[i] = &job{detach: id}
	}
	var problems []error
	for i, o := range h.submit(ctx, jobs) {
		problems = append(problems, fail("detach", string(ids[i]), o.err))
	}
	return errors.Join(problems...)
}

// detachBatch takes ports away in one commit; they all succeed or all fail.
func (h *Host) detachBatch(ctx context.Context, ids []PortID) []outcome {
	outcomes := make([]outcome, len(ids))
	t, err := h.readTable(ctx)
	if err == nil {
		var rows []PortRow
		for _, id := range ids {
			if row, ok := t.mine[id]; ok {
				rows = append(rows, row)
			}
		}
		err = h.remove(ctx, rows)
	}
	for i := range outcomes {
		outcomes[i].err = err
	}
	return outcomes
}

// remove takes away links, rows and rules of ports of this owner. Rules go last: without them a switch that
// still has the port caches drops for its addresses, and the next port with the same ones runs into that.
func (h *Host) remove(ctx context.Context, rows []PortRow) error {
	if len(rows) == 0 {
		return nil
	}
	if err := h.removePorts(ctx, rows); err != nil {
		return err
	}
	var flows FlowChange
	for _, r := range rows {
		flows.Delete = append(flows.Delete, portFlows(h.cfg.Owner, r.Request))
		flows.Forget = append(flows.Forget, connectionsOf(r)...)
	}
	err := h.parts.Flows.Apply(ctx, flows)
	if errors.Is(err, ErrUnavailable) { // a switch that is down has lost all its rules
		return nil
	}
	return err
}

// removePorts takes away links and rows.
func (h *Host) removePorts(ctx context.Context, rows []PortRow) error {
	if len(rows) == 0 {
		return nil
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Name
	}
	if err := h.parts.Links.Delete(ctx, names...); err != nil {
		return err
	}
	return h.parts.Ports.Commit(ctx, PortChange{Remove: rows})
}

// dropRows removes rows by name, where there are any.
func (h *Host) dropRows(ctx context.Context, names []string) error {
	rows, err := h.parts.Ports.List(ctx)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r PortRow) bool { return !slices.Contains(names, r.Name) })
	if len(rows) == 0 {
		return nil
	}
	return h.parts.Ports.Commit(ctx, PortChange{Remove: rows})
}

// connectionsOf are the tracked connections of a port, as far as its row says what it was.
func connectionsOf(r PortRow) []Connections {
	spec, _, _, err := parseExternalIDs(r.ExternalIDs)
	if err != nil {
		return nil
	}
	var list []Connections
	for _, a := range spec.Addrs {
		list = append(list, Connections{Tenant: spec.Tenant, Addr: a.Addr()})
	}
	return list
}
