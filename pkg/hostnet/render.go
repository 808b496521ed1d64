package hostnet

import (
	"net/netip"

	"github.com/digitalocean/go-openvswitch/ovs"
)

// wiring is what the rules of a port depend on.
type wiring struct {
	owner  uint16
	ofport int
	spec   PortSpec
}

// renderPort gives the rules of one port: two, three for each address, and two more when it is in groups,
// however many other ports there are.
func renderPort(w wiring) []*ovs.Flow {
	flows := []*ovs.Flow{w.classify(), w.forwardTo()}
	for _, p := range w.spec.Addrs {
		flows = append(flows, w.fromAddress(p.Addr()), w.fromARP(p.Addr()), w.forwardARP(p.Addr()))
	}
	flows = append(flows, w.groupFlows()...)
	for _, f := range flows {
		f.Cookie = cookie(w.owner, kindPort, w.ofport)
	}
	return flows
}

func (w wiring) classify() *ovs.Flow {
	return &ovs.Flow{Table: tableClassify, Priority: priorityRule, InPort: w.ofport,
		Actions: []ovs.Action{ovs.Load(hex(int(w.spec.Tenant)), regTenant), ovs.Resubmit(0, tableAntiSpoof)}}
}

func (w wiring) fromAddress(a netip.Addr) *ovs.Flow {
	return &ovs.Flow{Table: tableAntiSpoof, Priority: priorityRule, InPort: w.ofport, Protocol: ovs.ProtocolIPv4,
		Matches: []ovs.Match{ovs.DataLinkSource(w.spec.MAC.String()), ovs.NetworkSource(a.String())}, Actions: goTo(tableTrack)}
}

func (w wiring) fromARP(a netip.Addr) *ovs.Flow {
	return &ovs.Flow{Table: tableAntiSpoof, Priority: priorityRule, InPort: w.ofport, Protocol: ovs.ProtocolARP,
		Matches: []ovs.Match{ovs.DataLinkSource(w.spec.MAC.String()), ovs.ARPSourceHardwareAddress(w.spec.MAC), ovs.ARPSourceProtocolAddress(a.String())},
		Actions: goTo(tableTrack)}
}

func (w wiring) forwardTo() *ovs.Flow {
	return &ovs.Flow{Table: tableForward, Priority: priorityRule,
		Matches: []ovs.Match{w.tenant(), ovs.DataLinkDestination(w.spec.MAC.String())}, Actions: w.toMe()}
}

// forwardARP answers the broadcast question for an address by handing it to its owner alone: nothing floods.
func (w wiring) forwardARP(a netip.Addr) *ovs.Flow {
	return &ovs.Flow{Table: tableForward, Priority: priorityRule, Protocol: ovs.ProtocolARP,
		Matches: []ovs.Match{w.tenant(), ovs.DataLinkDestination("ff:ff:ff:ff:ff:ff"), ovs.ARPOperation(1), ovs.ARPTargetProtocolAddress(a.String())},
		Actions: w.toMe()}
}

// groupFlows closes a port that is in groups to new connections, but for those its groups allow.
func (w wiring) groupFlows() []*ovs.Flow {
	if len(w.spec.Groups) == 0 {
		return nil
	}
	flows := []*ovs.Flow{{Table: tableIngress, Priority: priorityClosed, Protocol: ovs.ProtocolIPv4,
		Matches: append(state("+new+trk"), w.destination()), Actions: drop()}}
	var memberships []ovs.Action
	for _, g := range w.spec.Groups {
		memberships = append(memberships, ovs.Conjunction(conjunctionID(w.owner, g), 1, 2))
	}
	return append(flows, &ovs.Flow{Table: tableIngress, Priority: priorityConj, Protocol: ovs.ProtocolIPv4,
		Matches: append(state("+new+trk"), w.destination()), Actions: memberships})
}

func (w wiring) tenant() ovs.Match { return ovs.FieldMatch("reg6", hex(int(w.spec.Tenant))) }

func (w wiring) destination() ovs.Match { return ovs.FieldMatch("reg1", hex(w.ofport)) }

// toMe names the destination and, where its groups have a say, their owner: two owners may have groups with
// the same rules.
func (w wiring) toMe() []ovs.Action {
	actions := []ovs.Action{ovs.Load(hex(w.ofport), regDestination)}
	if len(w.spec.Groups) > 0 {
		actions = append(actions, ovs.Load(hex(int(w.owner)), regOwner))
	}
	return append(actions, ovs.Resubmit(0, tableIngress))
}

func ownedBy(owner uint16) ovs.Match { return ovs.FieldMatch("reg5", hex(int(owner))) }
