package hostnet

import (
	"context"
	"errors"
	"slices"
)

// Report says what Reconcile did. Ports that were as they should be are not in it.
type Report struct {
	Added   []PortID
	Fixed   []PortID // limits, groups, or a cable that had to be made anew
	Removed []PortID
	Failed  map[PortID]error
}

// Reconcile makes this owner's ports exactly the desired ones: it adds, fixes and removes, and clears
// links that a crash left. Ports and rules of other owners are never touched. The report is right even
// when the error, which joins all failures, is not nil.
func (h *Host) Reconcile(ctx context.Context, desired []PortSpec) (Report, error) {
	before, err := h.List(ctx)
	if err != nil {
		return Report{}, err
	}
	had := map[PortID]PortStatus{}
	wanted := map[PortID]bool{}
	for _, s := range desired {
		wanted[s.ID] = true
	}
	r := Report{Failed: map[PortID]error{}}
	for _, st := range before {
		had[st.ID()] = st
		if !wanted[st.ID()] {
			r.Removed = append(r.Removed, st.ID())
		}
	}
	detachErr := h.Detach(ctx, r.Removed...)
	if detachErr != nil {
		for _, id := range r.Removed {
			r.Failed[id] = detachErr
		}
		r.Removed = nil
	}
	after, attachErr := h.Attach(ctx, desired...)
	for _, st := range after {
		r.note(had, st)
	}
	return r, errors.Join(detachErr, attachErr, h.alone(ctx, h.tidy))
}

func (r *Report) note(had map[PortID]PortStatus, st PortStatus) {
	old, known := had[st.ID()]
	switch {
	case st.Problem != nil:
		r.Failed[st.ID()] = st.Problem
	case !known:
		r.Added = append(r.Added, st.ID())
	case old.HostIf != st.HostIf || !sameLimits(old.Spec, st.Spec) || !sameNotes(old.Spec, st.Spec):
		r.Fixed = append(r.Fixed, st.ID())
	}
}

// tidy brings rules, uplink and links in line with the port table.
func (h *Host) tidy(ctx context.Context) error {
	if err := h.reinstall(ctx, kindCanary, kindUplink, kindPort, kindGroup); err != nil {
		return err
	}
	return errors.Join(h.ensureUplink(ctx), h.sweepLinks(ctx))
}

// reinstall replaces this owner's rules of the kinds by those of the ports it has, in one bundle: what
// should stay is never missing meanwhile.
func (h *Host) reinstall(ctx context.Context, kinds ...kind) error {
	unlock, err := h.parts.Ports.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	t, err := h.readRows(ctx)
	if err != nil {
		return err
	}
	change := FlowChange{Add: append(globalFlows(), canaryFlow(h.cfg.Owner))}
	for _, k := range kinds {
		change.Delete = append(change.Delete, flowsOf(h.cfg.Owner, k))
	}
	if u, ok := t.myUplink(h.cfg.Owner); ok {
		change.Add = append(change.Add, renderUplink(h.cfg.Owner, u.row.Request)...)
	}
	for id, row := range t.mine {
		change.Add = append(change.Add, renderPort(wiring{h.cfg.Owner, row.Request, t.specs[id]})...)
	}
	if slices.Contains(kinds, kindGroup) {
		groups, err := h.groupFlows()
		if err != nil {
			return err
		}
		change.Add = append(change.Add, groups...)
	}
	return h.parts.Flows.Apply(ctx, change)
}

// sweepLinks deletes host links of ours that no port uses: a crash between link and row leaves them.
func (h *Host) sweepLinks(ctx context.Context) error {
	t, err := h.readRows(ctx)
	if err != nil {
		return err
	}
	links, err := h.parts.Links.List(ctx)
	if err != nil {
		return err
	}
	var orphans []string
	for _, l := range links {
		if !t.names[l.Name] {
			orphans = append(orphans, l.Name)
		}
	}
	if len(orphans) == 0 {
		return nil
	}
	h.log.Info("deleting links that no port uses", "links", orphans)
	return h.parts.Links.Delete(ctx, orphans...)
}
