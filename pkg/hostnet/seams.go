package hostnet

import (
	"context"
	"net"
	"net/netip"

	"github.com/digitalocean/go-openvswitch/ovs"
)

// Links makes and deletes the virtual cables between namespaces and the switch.
type Links interface {
	// Create makes a veth pair whose far end is born in the namespace, addressed and up. Nothing is left
	// after an error: ErrNotFound when the namespace is gone, ErrConflict when the name is taken in it.
	// The link may come up a moment later.
	Create(ctx context.Context, spec LinkSpec) (Link, error)
	// Delete deletes host ends by name, and with them the far ends; unknown names are fine.
	Delete(ctx context.Context, names ...string) error
	// List returns the host ends of this owner, used or left over.
	List(ctx context.Context) ([]Link, error)
	// Inode identifies the namespace behind a path; ErrNotFound when there is none.
	Inode(path string) (uint64, error)
}

// LinkSpec is one cable.
type LinkSpec struct {
	HostIf  string
	NetNS   NetNS
	IfName  string
	MAC     net.HardwareAddr
	Addrs   []netip.Prefix
	Gateway netip.Addr
	MTU     int
}

// Link is the host's end of a cable.
type Link struct {
	Name  string
	Index int
	Up    bool // both ends are up and carry packets
}

// Uplinks readies links the machine has for use as a bridge's uplink.
type Uplinks interface {
	// Raise brings a link up and makes it deliver frames as they came. ErrNotFound when there is none of
	// that name, ErrConflict when it is part of another bridge or of a bond.
	Raise(ctx context.Context, name string) (Link, error)
}

// Shaper bounds the bandwidth of a cable, one direction at each end.
type Shaper interface {
	// Shape sets both limits; a zero limit takes away what was there.
	Shape(ctx context.Context, link LinkSpec, toContainer, fromContainer Limit) error
}

// Ports is the port table of one bridge, whoever owns its rows.
type Ports interface {
	// Lock keeps other owners on this bridge from choosing numbers and addresses until the returned
	// function is called; it may be called more than once.
	Lock(ctx context.Context) (unlock func(), err error)
	// List returns every port of the bridge.
	List(ctx context.Context) ([]PortRow, error)
	// Commit makes all changes or none. It does not wait for the switch to act on them.
	Commit(ctx context.Context, change PortChange) error
	// Wait returns when the switch has acted on the new rows of these names, or with ErrUnavailable.
	Wait(ctx context.Context, names ...string) error
}

// PortRow is one row of the port table.
type PortRow struct {
	UUID        string            // of the row; empty for one to be added
	QoS         string            // UUID of the QoS row that goes with it; the Ports' own business
	Name        string            // of the network device
	Request     int               // OpenFlow number asked for; 0 is none
	OFPort      int               // number the switch gave; 0 is not yet, -1 is that it could not
	Ifindex     int               // of the device as the switch knows it
	ExternalIDs map[string]string // of the Interface
	Error       string            // the switch's own complaint
}

// PortChange is one transaction on the port table.
type PortChange struct {
	Add    []PortRow
	Update []PortRow // sets ExternalIDs of the row of that name
	Remove []PortRow // by UUID
}

// Flows is the OpenFlow rule table of one bridge.
type Flows interface {
	// Apply deletes, then adds, atomically.
	Apply(ctx context.Context, change FlowChange) error
	// Has tells whether any rule matches.
	Has(ctx context.Context, match *ovs.MatchFlow) (bool, error)
	// Send puts Ethernet frames out of a port, past all rules.
	Send(ctx context.Context, ofport int, frames ...[]byte) error
}

// FlowChange is one bundle of rule changes.
type FlowChange struct {
	Delete []*ovs.MatchFlow
	Add    []*ovs.Flow
	Forget []Connections // after the rules are changed
}

// Connections are the tracked connections from and to an address of a tenant: whoever has the address next
// must not be taken for the one that began them.
type Connections struct {
	Tenant Tenant
	Addr   netip.Addr
}

// Parts are the seams to kernel and switch. Open fills them with the real ones; tests hand in others.
type Parts struct {
	Links   Links
	Shaper  Shaper
	Ports   Ports
	Flows   Flows
	Uplinks Uplinks // for Config.Uplink only
}
