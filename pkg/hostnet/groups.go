package hostnet

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"net/netip"
	"slices"

	"github.com/digitalocean/go-openvswitch/ovs"
)

// GroupID names a group of rules. At most 64 printable ASCII characters, no space.
type GroupID string

// Group is a set of rules many ports share. A port that is in groups takes new connections only where a
// rule of one of them allows; answers always pass, and other tenants never do.
type Group struct {
	ID    GroupID
	Rules []Rule
}

// Protocol is what a Rule is about.
type Protocol string

// The protocols of rules.
const (
	ProtocolAny  Protocol = ""
	ProtocolTCP  Protocol = "tcp"
	ProtocolUDP  Protocol = "udp"
	ProtocolICMP Protocol = "icmp"
)

// Rule allows new connections.
type Rule struct {
	Protocol Protocol
	First    uint16       // lowest destination port of TCP and UDP; 0 with Last 0 is all
	Last     uint16       // highest; 0 is First
	From     netip.Prefix // IPv4 sources; zero is the whole tenant
}

// validate says which part of a group is wrong.
func (g Group) validate() error {
	if !isToken(string(g.ID), 64) {
		return invalid("group id %q must be 1 to 64 printable ASCII characters without spaces", g.ID)
	}
	for i, r := range g.Rules {
		if err := r.validate(); err != nil {
			return fmt.Errorf("rule %d of group %s: %w", i, g.ID, err)
		}
	}
	return nil
}

func (r Rule) validate() error {
	withPorts := r.First != 0 || r.Last != 0
	switch r.Protocol {
	case ProtocolTCP, ProtocolUDP:
		if r.Last != 0 && (r.First == 0 || r.Last < r.First) {
			return invalid("ports %d to %d are no range; the first is at least 1 and not above the last", r.First, r.Last)
		}
	case ProtocolAny, ProtocolICMP:
		if withPorts {
			return invalid("only TCP and UDP rules have ports")
		}
	default:
		return invalid("protocol %q is none of tcp, udp, icmp and empty for any", r.Protocol)
	}
	if r.From.IsValid() && !r.From.Addr().Is4() {
		return fmt.Errorf("%w: source %s is not IPv4", ErrUnsupported, r.From)
	}
	return nil
}

// conjunctionID numbers a group for OpenFlow (ovs-fields(7), conjunction): the same after every restart.
func conjunctionID(owner uint16, g GroupID) int {
	h := fnv.New32a()
	fmt.Fprintf(h, "%d\x00%s", owner, g)
	return int(h.Sum32())
}

// renderGroup gives the rules of one group, however many ports are in it.
func renderGroup(owner uint16, g Group) ([]*ovs.Flow, error) {
	id := conjunctionID(owner, g.ID)
	flows := []*ovs.Flow{{Table: tableIngress, Priority: priorityConj, Protocol: ovs.ProtocolIPv4,
		Matches: append(state("+new+trk"), ovs.FieldMatch("conj_id", fmt.Sprint(id))), Actions: accept()}}
	seen := map[Rule]bool{}
	for _, r := range g.Rules {
		if seen[r] {
			continue
		}
		seen[r] = true
		matches, err := r.portMatches()
		if err != nil {
			return nil, err
		}
		for _, port := range matches {
			flows = append(flows, r.flow(owner, id, port))
		}
	}
	for _, f := range flows {
		f.Cookie = cookie(owner, kindGroup, 0)
	}
	return flows, nil
}

func (r Rule) flow(owner uint16, id int, port ovs.Match) *ovs.Flow {
	f := &ovs.Flow{Table: tableIngress, Priority: priorityConj, Protocol: ovs.ProtocolIPv4,
		Matches: append(state("+new+trk"), ownedBy(owner)), Actions: []ovs.Action{ovs.Conjunction(id, 2, 2)}}
	if r.Protocol != ProtocolAny {
		f.Protocol = ovs.Protocol(r.Protocol)
	}
	if port != nil {
		f.Matches = append(f.Matches, port)
	}
	if r.From.IsValid() {
		f.Matches = append(f.Matches, ovs.NetworkSource(r.From.Masked().String()))
	}
	return f
}

// portMatches splits a range of ports into masked matches; one nil stands for all ports.
func (r Rule) portMatches() ([]ovs.Match, error) {
	if r.First == 0 && r.Last == 0 {
		return []ovs.Match{nil}, nil
	}
	ranges, err := ovs.TransportDestinationPortRange(r.First, max(r.First, r.Last)).MaskedPorts()
	if err != nil {
		return nil, fmt.Errorf("%w: ports %d to %d: %w", ErrInvalid, r.First, r.Last, err)
	}
	return ranges, nil
}

// SetGroups adds groups or replaces those of the same ids, for all ports of this owner that name them, at
// once. Groups live as long as the Host: set them again after Open. Until then a port that names an unknown
// group takes no new connections. Errors: ErrInvalid, ErrUnsupported, ErrUnavailable.
func (h *Host) SetGroups(ctx context.Context, groups ...Group) error {
	for _, g := range groups {
		if err := g.validate(); err != nil {
			return fail("set group", string(g.ID), err)
		}
	}
	err := h.alone(ctx, func(ctx context.Context) error {
		before := maps.Clone(h.groups)
		for _, g := range groups {
			h.groups[g.ID] = g
		}
		err := h.applyGroups(ctx)
		if err != nil {
			h.groups = before
		}
		return err
	})
	return fail("set groups of", h.cfg.Bridge, err)
}

func (h *Host) applyGroups(ctx context.Context) error {
	flows, err := h.groupFlows()
	if err != nil {
		return err
	}
	return h.parts.Flows.Apply(ctx, FlowChange{Delete: []*ovs.MatchFlow{flowsOf(h.cfg.Owner, kindGroup)}, Add: flows})
}

// groupFlows renders all groups.
func (h *Host) groupFlows() ([]*ovs.Flow, error) {
	numbers := map[int]GroupID{}
	var all []*ovs.Flow
	for _, id := range slices.Sorted(maps.Keys(h.groups)) {
		number := conjunctionID(h.cfg.Owner, id)
		if other, taken := numbers[number]; taken {
			return nil, fmt.Errorf("%w: groups %s and %s get the same number; rename one", ErrConflict, id, other)
		}
		numbers[number] = id
		flows, err := renderGroup(h.cfg.Owner, h.groups[id])
		if err != nil {
			return nil, err
		}
		all = append(all, flows...)
	}
	return mergeClauses(all)
}

// mergeClauses joins rules of several groups that match the same: the switch would keep the last one only.
func mergeClauses(flows []*ovs.Flow) ([]*ovs.Flow, error) {
	first := map[string]*ovs.Flow{}
	var merged []*ovs.Flow
	for _, f := range flows {
		bare := *f
		bare.Actions = drop()
		key, err := bare.MarshalText()
		if err != nil {
			return nil, err
		}
		if same := first[string(key)]; same != nil {
			same.Actions = append(same.Actions, f.Actions...)
			continue
		}
		first[string(key)] = f
		merged = append(merged, f)
	}
	return merged, nil
}
