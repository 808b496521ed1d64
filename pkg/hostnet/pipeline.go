package hostnet

import (
	"strconv"

	"github.com/digitalocean/go-openvswitch/ovs"
)

// The tables. Only table 0 is shared with other software on the bridge, and there we match our own ports
// only; the others drop by default because no rule matches.
const (
	tableClassify  = 0
	tableAntiSpoof = 110
	tableTrack     = 120
	tableEgress    = 130
	tableForward   = 140
	tableIngress   = 150
	tableUplink    = 160
	tableCanary    = 199
)

// Registers: who a packet goes to, whose port that is, and which tenant it is of.
const (
	regDestination = "NXM_NX_REG1[]"
	regOwner       = "NXM_NX_REG5[]"
	regTenant      = "NXM_NX_REG6[]"
	trackZone      = "NXM_NX_REG6[0..15]"
)

// Priorities within a table.
const (
	priorityRefuse = 300
	priorityRule   = 100
	priorityConj   = 60
	priorityClosed = 50
	priorityOpen   = 10
)

// globalFlows are the rules every owner needs and none owns. Adding them again changes nothing.
func globalFlows() []*ovs.Flow {
	flows := antiSpoofGlobals()
	flows = append(flows, trackGlobals()...)
	flows = append(flows, egressGlobals()...)
	flows = append(flows, ingressGlobals()...)
	for _, f := range flows {
		f.Cookie = cookie(0, kindGlobal, 0)
	}
	return flows
}

func antiSpoofGlobals() []*ovs.Flow {
	return []*ovs.Flow{
		{Table: tableAntiSpoof, Priority: priorityRefuse, Matches: []ovs.Match{ovs.VLANTCI(0x1000, 0x1000)}, Actions: drop()},
		// Only a DHCP server sends from port 67.
		{Table: tableAntiSpoof, Priority: priorityRefuse, Protocol: ovs.ProtocolUDPv4, Matches: []ovs.Match{ovs.TransportSourcePort(67)}, Actions: drop()},
	}
}

func trackGlobals() []*ovs.Flow {
	track := ovs.ConnectionTracking("table=" + strconv.Itoa(tableEgress) + ",zone=" + trackZone)
	return []*ovs.Flow{
		{Table: tableTrack, Priority: priorityRule, Protocol: ovs.ProtocolARP, Actions: goTo(tableForward)},
		{Table: tableTrack, Priority: priorityRule, Protocol: ovs.ProtocolIPv4, Actions: []ovs.Action{track}},
	}
}

func egressGlobals() []*ovs.Flow {
	return []*ovs.Flow{
		{Table: tableEgress, Priority: priorityRefuse, Protocol: ovs.ProtocolIPv4, Matches: state("+inv+trk"), Actions: drop()},
		{Table: tableEgress, Priority: priorityRule, Protocol: ovs.ProtocolIPv4, Matches: state("+est+trk"), Actions: goTo(tableForward)},
		{Table: tableEgress, Priority: priorityRule, Protocol: ovs.ProtocolIPv4, Matches: state("+rel+trk"), Actions: goTo(tableForward)},
		{Table: tableEgress, Priority: priorityRule, Protocol: ovs.ProtocolIPv4, Matches: state("+new+trk"), Actions: goTo(tableForward)},
	}
}

func ingressGlobals() []*ovs.Flow {
	return []*ovs.Flow{
		{Table: tableIngress, Priority: priorityRule, Protocol: ovs.ProtocolARP, Actions: deliver()},
		{Table: tableIngress, Priority: priorityRule, Protocol: ovs.ProtocolIPv4, Matches: state("+est+trk"), Actions: deliver()},
		{Table: tableIngress, Priority: priorityRule, Protocol: ovs.ProtocolIPv4, Matches: state("+rel+trk"), Actions: deliver()},
		{Table: tableIngress, Priority: priorityOpen, Protocol: ovs.ProtocolIPv4, Matches: state("+new+trk"), Actions: accept()},
	}
}

// canaryFlow is never hit: it is there as long as the switch has not lost its rules.
func canaryFlow(owner uint16) *ovs.Flow {
	return &ovs.Flow{Table: tableCanary, Priority: priorityOpen, Cookie: cookie(owner, kindCanary, 0),
		Matches: []ovs.Match{ovs.FieldMatch("reg6", hex(int(owner)))}, Actions: drop()}
}

// canary matches canaryFlow of an owner.
func canary(owner uint16) *ovs.MatchFlow {
	return &ovs.MatchFlow{Table: tableCanary, Cookie: cookie(owner, kindCanary, 0)}
}

func drop() []ovs.Action { return []ovs.Action{ovs.Drop()} }

func goTo(table int) []ovs.Action { return []ovs.Action{ovs.Resubmit(0, table)} }

func deliver() []ovs.Action { return []ovs.Action{ovs.OutputField(regDestination)} }

// accept remembers the connection, so that its answers pass.
func accept() []ovs.Action {
	return []ovs.Action{ovs.ConnectionTracking("commit,zone=" + trackZone), ovs.OutputField(regDestination)}
}

func state(flags string) []ovs.Match { return []ovs.Match{ovs.ConnectionTrackingState(flags)} }

func hex(n int) string { return "0x" + strconv.FormatInt(int64(n), 16) }
