package hostnet

import (
	"errors"
	"fmt"
	"net/netip"
)

// verdict is what a spec needs.
type verdict int

const (
	keep   verdict = iota // as it should be
	adjust                // other limits, groups or notes on the same cable
	create                // not there yet, or its cable is gone or differs
)

// errNumberTaken: between our look and the switch's doing, other software got the number.
var errNumberTaken = errors.New("the switch gave the port another number than its rules are for")

// errLinkDown: one end of the cable is down, or has not come up yet.
var errLinkDown = fmt.Errorf("%w: its link is down; attach it again", ErrUnavailable)

// slot follows one spec through a batch.
type slot struct {
	spec     PortSpec
	verdict  verdict
	old      *PortRow // what this owner has under the id
	before   PortSpec // old, as a spec
	replaced bool     // old is gone, but for its rules
	row      PortRow  // what is to be there
	status   PortStatus
	err      error
}

// table is the port table, read.
type table struct {
	mine    map[PortID]PortRow
	specs   map[PortID]PortSpec // of mine
	numbers map[int]bool        // asked for or given, by anybody
	taken   map[claim]string    // by whom, for the sentence
	links   map[string]Link     // our host links by name
	names   map[string]bool     // of all rows
	uplink  *uplink             // of the bridge, whoever set it
}

// claim is what only one port of a tenant may have: an address or a MAC.
type claim struct {
	tenant Tenant
	what   string
}

// readTable sorts rows by owner. Rows that cannot be read are not ours to touch, and hold their number only.
func readTable(rows []PortRow, links []Link, owner uint16) table {
	t := table{mine: map[PortID]PortRow{}, specs: map[PortID]PortSpec{}, numbers: map[int]bool{},
		taken: map[claim]string{}, links: map[string]Link{}, names: map[string]bool{}}
	for _, l := range links {
		t.links[l.Name] = l
	}
	for _, r := range rows {
		t.names[r.Name] = true
		t.numbers[r.Request], t.numbers[r.OFPort] = true, true
		if u, ok := parseUplink(r); ok {
			t.uplink = &u
			continue
		}
		spec, whose, ours, err := parseExternalIDs(r.ExternalIDs)
		if err != nil || !ours {
			continue
		}
		if whose == owner {
			t.mine[spec.ID], t.specs[spec.ID] = r, spec
		}
		t.claim(spec, fmt.Sprintf("port %s of %s", spec.ID, r.ExternalIDs[keyOwnerName]))
	}
	return t
}

func (t table) claim(s PortSpec, by string) {
	for _, c := range claims(s) {
		t.taken[c] = by
	}
}

func (t table) release(s PortSpec) {
	for _, c := range claims(s) {
		delete(t.taken, c)
	}
}

// conflict says who has what the spec wants.
func (t table) conflict(s PortSpec) error {
	for _, c := range claims(s) {
		if by := t.taken[c]; by != "" {
			return fmt.Errorf("%w: %s is taken in tenant %d by %s; choose another", ErrConflict, c.what, s.Tenant, by)
		}
	}
	return nil
}

func claims(s PortSpec) []claim {
	all := []claim{{s.Tenant, "MAC " + s.MAC.String()}}
	for _, a := range s.Addrs {
		all = append(all, claim{s.Tenant, "address " + addrText(a.Addr())})
	}
	return all
}

func addrText(a netip.Addr) string { return a.Unmap().String() }

// plan decides what each spec needs and claims its addresses. Specs name their namespace by inode by now.
func (t table) plan(slots []*slot) {
	for _, s := range slots {
		if old, ok := t.mine[s.spec.ID]; ok && s.err == nil {
			s.old, s.before = &old, t.specs[s.spec.ID]
			t.release(s.before)
		}
	}
	for _, s := range slots {
		if s.err != nil {
			continue
		}
		if s.err = errors.Join(t.checkReach(s.spec.Tenant), t.conflict(s.spec)); s.err != nil {
			continue
		}
		t.claim(s.spec, fmt.Sprintf("port %s in the same request", s.spec.ID))
		s.verdict = t.judge(s)
	}
}

func (t table) judge(s *slot) verdict {
	if s.old == nil || !sameWiring(s.before, s.spec) || !t.healthy(*s.old) {
		return create
	}
	if !sameLimits(s.before, s.spec) || !sameNotes(s.before, s.spec) {
		return adjust
	}
	return keep
}

// healthy tells whether a port carries packets: its link is the one the switch has, under the right number.
func (t table) healthy(r PortRow) bool { return t.problem(r) == nil }

func (t table) problem(r PortRow) error {
	link, ok := t.links[r.Name]
	switch {
	case !ok:
		return fmt.Errorf("%w: its link %s is gone; attach it again", ErrNotFound, r.Name)
	case r.Error != "":
		return fmt.Errorf("the switch reports: %s", r.Error)
	case r.OFPort == 0:
		return fmt.Errorf("%w: the switch has not taken the port yet", ErrUnavailable)
	case r.OFPort != r.Request:
		return fmt.Errorf("%w: %d, not %d", errNumberTaken, r.OFPort, r.Request)
	case r.Ifindex != 0 && r.Ifindex != link.Index:
		return fmt.Errorf("the switch reads link %d instead of %d; attach it again", r.Ifindex, link.Index)
	case !link.Up:
		return errLinkDown
	}
	return nil
}

// status describes a port as the table has it.
func (t table) status(r PortRow, spec PortSpec) PortStatus {
	st := PortStatus{Spec: spec, HostIf: r.Name, Ifindex: t.links[r.Name].Index, OFPort: uint16(max(r.OFPort, 0)), Problem: t.problem(r)}
	st.Ready = st.Problem == nil
	return st
}
