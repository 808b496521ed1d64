package hostnet

import "github.com/digitalocean/go-openvswitch/ovs"

// lastVLAN is the highest tenant that fits a VLAN tag: 4095 is reserved (IEEE 802.1Q, table 9-2).
const lastVLAN Tenant = 4094

// Priorities of the rules that send what no local port takes; all below priorityRule.
const (
	priorityStrange  = 90 // what comes in by the uplink without a tag
	priorityNoReturn = 30
	priorityAsk      = 20
	priorityNoFlood  = 15
	priorityAway     = 10
)

// The VLAN tag is the tenant.
const (
	vlanID       = "OXM_OF_VLAN_VID[0..11]"
	vlanOfTenant = "NXM_NX_REG6[0..11]"
)

// renderUplink gives the rules of the uplink: a dozen for the bridge, however many tenants and ports there are.
func renderUplink(owner uint16, ofport int) []*ovs.Flow {
	flows := append(comingIn(ofport), goingOut(ofport)...)
	for _, f := range flows {
		f.Cookie = cookie(owner, kindUplink, ofport)
	}
	return flows
}

// comingIn takes the tag for the tenant and then goes the way of local packets: the sender's own switch has
// checked its addresses, this one checks what the receiver takes. What has no tag must not meet rules of other
// software in the shared table.
func comingIn(ofport int) []*ovs.Flow {
	take := []ovs.Action{ovs.Move(vlanID, vlanOfTenant), ovs.StripVLAN(), ovs.Resubmit(0, tableAntiSpoof)}
	return []*ovs.Flow{
		{Table: tableClassify, Priority: priorityRule, InPort: ofport, Matches: []ovs.Match{ovs.VLANTCI(0x1000, 0x1000)}, Actions: take},
		{Table: tableClassify, Priority: priorityStrange, InPort: ofport, Actions: drop()},
		{Table: tableAntiSpoof, Priority: priorityRule, InPort: ofport, Protocol: ovs.ProtocolIPv4, Actions: goTo(tableTrack)},
		{Table: tableAntiSpoof, Priority: priorityRule, InPort: ofport, Protocol: ovs.ProtocolARP, Actions: goTo(tableTrack)},
		{Table: tableForward, Priority: priorityNoReturn, InPort: ofport, Actions: drop()},
	}
}

// goingOut sends what no local port takes: packets for one receiver, and questions by ARP. New connections are
// remembered, so that their answers pass when they come in.
func goingOut(ofport int) []*ovs.Flow {
	fits := ovs.FieldMatch("reg6", "0x0/0xf000")
	send := []ovs.Action{pushVLAN{}, ovs.Move(vlanOfTenant, vlanID), ovs.Output(ofport)}
	remember := append([]ovs.Action{ovs.ConnectionTracking("commit,zone=" + trackZone)}, send...)
	ask := []ovs.Match{ovs.DataLinkDestination("ff:ff:ff:ff:ff:ff"), ovs.ARPOperation(1)}
	many := []ovs.Match{ovs.DataLinkDestination("01:00:00:00:00:00/01:00:00:00:00:00")}
	return []*ovs.Flow{
		{Table: tableForward, Priority: priorityAsk, Protocol: ovs.ProtocolARP, Matches: ask, Actions: goTo(tableUplink)},
		{Table: tableForward, Priority: priorityNoFlood, Matches: many, Actions: drop()},
		{Table: tableForward, Priority: priorityAway, Actions: goTo(tableUplink)},
		{Table: tableUplink, Priority: priorityRefuse, Matches: []ovs.Match{ovs.FieldMatch("reg6", hex(int(lastVLAN)+1))}, Actions: drop()},
		{Table: tableUplink, Priority: priorityRule, Protocol: ovs.ProtocolIPv4, Matches: append(state("+new+trk"), fits), Actions: remember},
		{Table: tableUplink, Priority: priorityOpen, Matches: []ovs.Match{fits}, Actions: send},
	}
}

// pushVLAN is an action go-openvswitch has no word for: a tag in front of what is there (OpenFlow 1.1, OFPAT_PUSH_VLAN).
type pushVLAN struct{}

// MarshalText implements ovs.Action.
func (pushVLAN) MarshalText() ([]byte, error) { return []byte("push_vlan:0x8100"), nil }

// GoString implements ovs.Action.
func (pushVLAN) GoString() string { return "hostnet.pushVLAN{}" }
