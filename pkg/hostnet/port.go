package hostnet

import (
	"net"
	"net/netip"
)

// PortID names a port for its whole life, over restarts of everything: for example "<server uuid>/0".
// At most 128 printable ASCII characters, no space.
type PortID string

// Tenant is a network segment, 1..65535. Ports of one tenant reach each other, ports of two never do, and
// each tenant may use the same addresses. It is also the conntrack zone on this host.
type Tenant uint16

// NetNS is a network namespace by its file, such as /proc/4711/ns/net or /var/run/netns/blue.
type NetNS struct {
	Path  string `json:"path"`
	Inode uint64 `json:"inode,omitempty"` // refuses another namespace that took the path meanwhile; 0 takes what is there
}

// PortSpec is one port as it should be.
type PortSpec struct {
	ID            PortID
	Server        string            // who it belongs to; for people and for List, hostnet does not look at it
	Labels        map[string]string // likewise
	NetNS         NetNS
	IfName        string           // name inside the namespace; "" is eth0
	MAC           net.HardwareAddr // of the interface inside the namespace; unicast, unique in the tenant
	Addrs         []netip.Prefix   // IPv4 addresses with their subnet's length: 10.0.0.5/24; unique in the tenant
	Gateway       netip.Addr       // default route; zero makes none
	MTU           int              // bytes of IP packet, 68..65520; 0 is 1500
	Tenant        Tenant
	Groups        []GroupID // rules for new connections to this port; none lets the whole tenant in
	ToContainer   Limit     // what the namespace receives
	FromContainer Limit     // what the namespace sends
}

// PortStatus is one port as it is.
type PortStatus struct {
	Spec    PortSpec // as last attached
	HostIf  string   // name of the host's end, where traffic can be counted; new with each incarnation
	Ifindex int      // of the host's end; 0 when the link is gone
	OFPort  uint16   // OpenFlow port number on the bridge
	Ready   bool     // the switch has the port under the number its rules were made for
	Problem error    // why it is not Ready, one sentence; nil when it is
}

// ID is the port's id.
func (s PortStatus) ID() PortID { return s.Spec.ID }
