package hostnet

import "github.com/digitalocean/go-openvswitch/ovs"

// pipelineGeneration counts layouts of the rules; it is in every cookie, so a later layout can tell what
// an earlier one left.
const pipelineGeneration = 1

// kind says what a rule is for.
type kind uint8

const (
	kindGlobal kind = 1 // the same for all owners, owner 0
	kindCanary kind = 2
	kindPort   kind = 3
	kindGroup  kind = 4
	kindUplink kind = 5
)

// A cookie is owner 16 bits, generation 8, kind 8, reserved 16, OpenFlow port 16.
const (
	ownerShift      = 48
	generationShift = 40
	kindShift       = 32

	ownerMask = uint64(0xffff) << ownerShift
	kindMask  = uint64(0xff) << kindShift
	portMask  = uint64(0xffff)
)

func cookie(owner uint16, k kind, ofport int) uint64 {
	return uint64(owner)<<ownerShift | pipelineGeneration<<generationShift | uint64(k)<<kindShift | uint64(ofport)&portMask
}

// portFlows matches the rules of one port, of any generation.
func portFlows(owner uint16, ofport int) *ovs.MatchFlow {
	return &ovs.MatchFlow{Table: ovs.AnyTable, Cookie: cookie(owner, kindPort, ofport) & (ownerMask | kindMask | portMask), CookieMask: ownerMask | kindMask | portMask}
}

// flowsOf matches all rules of an owner of one kind.
func flowsOf(owner uint16, k kind) *ovs.MatchFlow {
	return &ovs.MatchFlow{Table: ovs.AnyTable, Cookie: cookie(owner, k, 0) & (ownerMask | kindMask), CookieMask: ownerMask | kindMask}
}
