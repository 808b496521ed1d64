package hostnet

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// batch attaches some ports in one commit. Each step works on the slots that have not failed, so a bad
// port never takes others with it; rollBack clears away what the bad ones had.
type batch struct {
	h     *Host
	slots []*slot
	table table
}

func newBatch(h *Host, specs []PortSpec) *batch {
	b := &batch{h: h}
	for _, s := range specs {
		b.slots = append(b.slots, &slot{spec: s})
	}
	return b
}

// apply goes through the steps in the order that never lets a port run without its rules: link, rules, row.
func (b *batch) apply(ctx context.Context) {
	b.resolve()
	unlock, err := b.h.parts.Ports.Lock(ctx)
	if err != nil {
		b.failAll(err)
		return
	}
	defer unlock()
	if err := b.read(ctx); err != nil {
		b.failAll(err)
		return
	}
	b.table.plan(b.slots)
	b.keepGood()
	b.adjust(ctx)
	b.replaceOld(ctx)
	b.makeLinks(ctx)
	b.commit(ctx)
	unlock()
	b.verify(ctx)
	b.announce(ctx)
	b.rollBack(context.WithoutCancel(ctx))
}

// resolve names each namespace by its inode.
func (b *batch) resolve() {
	for _, s := range b.slots {
		inode, err := b.h.parts.Links.Inode(s.spec.NetNS.Path)
		switch {
		case err != nil:
			s.err = err
		case s.spec.NetNS.Inode != 0 && s.spec.NetNS.Inode != inode:
			s.err = fmt.Errorf("%w: %s is another namespace now (inode %d, expected %d); attach again with the new one", ErrConflict, s.spec.NetNS.Path, inode, s.spec.NetNS.Inode)
		default:
			s.spec.NetNS.Inode = inode
		}
	}
}

func (b *batch) read(ctx context.Context) (err error) {
	b.table, err = b.h.readTable(ctx)
	return err
}

// readTable reads the port table and our links.
func (h *Host) readTable(ctx context.Context) (table, error) {
	rows, err := h.parts.Ports.List(ctx)
	if err != nil {
		return table{}, err
	}
	links, err := h.parts.Links.List(ctx)
	if err != nil {
		return table{}, err
	}
	return readTable(rows, links, h.cfg.Owner), nil
}

// good gives the slots of a verdict that have not failed.
func (b *batch) good(v verdict) []*slot {
	var good []*slot
	for _, s := range b.slots {
		if s.err == nil && s.verdict == v {
			good = append(good, s)
		}
	}
	return good
}

func (b *batch) failAll(err error) { failSlots(b.slots, err) }

func failSlots(slots []*slot, err error) {
	for _, s := range slots {
		if s.err == nil {
			s.err = err
		}
	}
}

func (b *batch) keepGood() {
	for _, s := range b.good(keep) {
		s.status = b.table.status(*s.old, s.spec)
	}
}

// adjust changes what can change on a live cable.
func (b *batch) adjust(ctx context.Context) {
	for _, s := range b.good(adjust) {
		s.err = b.h.change(ctx, *s.old, s.before, s.spec)
		s.status = b.table.status(*s.old, s.spec)
	}
}

// replaceOld takes away rows and links of old incarnations: the namespace has room for one interface of the
// name only. Their rules go last, in forget: without them the switch would cache drops for packets of these
// addresses, and the first ones of the new port would run into that.
func (b *batch) replaceOld(ctx context.Context) {
	var old []PortRow
	var slots []*slot
	for _, s := range b.good(create) {
		if s.old != nil {
			old, slots = append(old, *s.old), append(slots, s)
		}
	}
	if err := b.h.removePorts(ctx, old); err != nil {
		failSlots(slots, err)
		return
	}
	for _, s := range slots {
		s.replaced = true
	}
}

// forget deletes the rules of old incarnations, and of slots that failed.
func (b *batch) forget(ctx context.Context) error {
	var flows FlowChange
	for _, s := range b.slots {
		if s.replaced {
			flows.Delete = append(flows.Delete, portFlows(b.h.cfg.Owner, s.old.Request))
		}
		if s.err != nil && s.row.Request != 0 {
			flows.Delete = append(flows.Delete, portFlows(b.h.cfg.Owner, s.row.Request))
		}
	}
	if len(flows.Delete) == 0 {
		return nil
	}
	return b.h.parts.Flows.Apply(ctx, flows)
}

func (b *batch) makeLinks(ctx context.Context) {
	for _, s := range b.good(create) {
		s.row = PortRow{Name: newHostIf()}
		if s.row.ExternalIDs, s.err = externalIDs(s.spec, b.h.cfg.Owner, b.h.cfg.OwnerName); s.err != nil {
			continue
		}
		if s.row.Request, s.err = b.h.numbers.next(b.table.numbers); s.err != nil {
			continue
		}
		spec := linkSpec(s.row.Name, s.spec)
		if _, s.err = b.h.parts.Links.Create(ctx, spec); s.err != nil {
			continue
		}
		s.err = b.h.parts.Shaper.Shape(ctx, spec, s.spec.ToContainer, s.spec.FromContainer)
	}
}

func linkSpec(hostIf string, s PortSpec) LinkSpec {
	return LinkSpec{HostIf: hostIf, NetNS: s.NetNS, IfName: s.IfName, MAC: s.MAC, Addrs: s.Addrs, Gateway: s.Gateway, MTU: s.MTU}
}

// commit installs the rules, then the rows.
func (b *batch) commit(ctx context.Context) {
	slots := b.good(create)
	if len(slots) == 0 {
		return
	}
	var flows FlowChange
	var rows PortChange
	for _, s := range slots {
		// Rules of a number's former holder may be left after a crash.
		flows.Delete = append(flows.Delete, portFlows(b.h.cfg.Owner, s.row.Request))
		flows.Add = append(flows.Add, renderPort(wiring{b.h.cfg.Owner, s.row.Request, s.spec})...)
		rows.Add = append(rows.Add, s.row)
	}
	err := b.h.parts.Flows.Apply(ctx, flows)
	if err == nil {
		err = b.h.parts.Ports.Commit(ctx, rows)
	}
	if err != nil {
		failSlots(slots, err)
	}
}

// verify waits for the switch and believes only what it then says: a committed row alone means nothing.
func (b *batch) verify(ctx context.Context) {
	slots := b.good(create)
	if len(slots) == 0 {
		return
	}
	names := make([]string, len(slots))
	for i, s := range slots {
		names[i] = s.row.Name
	}
	err := b.h.parts.Ports.Wait(ctx, names...)
	if err == nil {
		err = b.settle(ctx, slots)
	}
	if err == nil {
		// The switch tells a port's number a moment before it takes packets from it, but answers OpenFlow after.
		_, err = b.h.parts.Flows.Has(ctx, canary(b.h.cfg.Owner))
	}
	if err != nil {
		failSlots(slots, err)
	}
}

// linkPatience is how long the kernel may take to bring a link up.
const linkPatience = 3 * time.Second

// settle reads what became of the slots, again while a link is still coming up.
func (b *batch) settle(ctx context.Context, slots []*slot) error {
	deadline := time.Now().Add(linkPatience)
	for {
		if err := b.read(ctx); err != nil {
			return err
		}
		rising := false
		for _, s := range slots {
			b.judge(s)
			rising = rising || errors.Is(s.err, errLinkDown)
		}
		if !rising || time.Now().After(deadline) {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// judge sets a slot's status and error by the table.
func (b *batch) judge(s *slot) {
	row, ok := b.table.mine[s.spec.ID]
	if !ok || row.Name != s.row.Name {
		s.err = fmt.Errorf("%w: other software took the port away while it was attached", ErrConflict)
		return
	}
	s.status = b.table.status(row, s.spec)
	s.err = s.status.Problem
}

// rollBack takes away rows, rules and links of the slots that failed on the way, and the old rules.
func (b *batch) rollBack(ctx context.Context) {
	var names []string
	for _, s := range b.slots {
		if s.err != nil && s.row.Name != "" {
			names = append(names, s.row.Name)
		}
	}
	err := b.forget(ctx)
	if len(names) > 0 {
		err = errors.Join(b.h.dropRows(ctx, names), err, b.h.parts.Links.Delete(ctx, names...))
	}
	if err != nil {
		b.h.log.Warn("could not clear away failed ports; the next reconcile will", "links", names, "err", err)
	}
}
