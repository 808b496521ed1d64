// Package hostnet attaches containers to a cloud's network: it makes a virtual cable between a network
// namespace and an Open vSwitch bridge, with an address, a MAC, a tenant and bandwidth limits, and rules on
// the bridge that keep tenants apart and forgers out.
//
// [Open] takes over what an owner has on a bridge, and makes the bridge when it is missing. A [PortSpec] says
// what a port should be; [Host.Attach] makes it so and returns when packets can flow. Attach can be repeated:
// what is right is left alone. Callers that come at the same time share one commit to the switch, which costs
// nearly the same for fifty ports as for one. [Host.Detach] takes everything away again, [Host.List] reads
// what is there, and [Host.Reconcile] makes what is there equal to what should be, after any crash.
//
//	host, err := hostnet.Open(ctx, hostnet.Config{Owner: 1})
//	...
//	statuses, err := host.Attach(ctx, hostnet.PortSpec{
//		ID:     "web-1/0",
//		NetNS:  hostnet.NetNS{Path: "/proc/4711/ns/net"},
//		MAC:    net.HardwareAddr{0xfa, 0x16, 0x3e, 0, 0, 5},
//		Addrs:  []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")},
//		Tenant: 12,
//		ToContainer: hostnet.Limit{Rate: 100 * hostnet.Mbit},
//	})
//
// # What the rules do
//
// Everything is dropped that no rule allows. A port may send from its own MAC and addresses only, checked in
// Ethernet, IP and ARP; VLAN tags and DHCP answers are dropped. Packets go to ports of the same tenant by
// static rules, one for each MAC and address: nothing is learnt and nothing floods, so two tenants may use the
// same addresses. Connections are tracked in a zone for each tenant. A port takes new connections from its
// whole tenant, or, when it names groups, those that a [Group] allows. There are as many rules for a port as it
// has addresses, however many other ports there are.
//
// # Other machines
//
// Config.Uplink joins bridges: a link of the machine, such as a network card of its own, that carries each
// tenant's frames with the tenant as their VLAN tag, so tenants are 1 to 4094 there. What is for no port here, and
// questions by ARP that no port here answers, goes out by it; what comes in by it goes to ports here or nowhere.
// Limits and groups hold as between ports of one bridge: a new connection is remembered on its way out, so its
// answers come in where nothing else may. Only IPv4 and ARP with a tag come in, and no DHCP answers. A dozen rules
// do all this, whatever there is of tenants and ports.
//
// Senders are checked by their own bridge, so the wire must belong to the cloud; no bridge learns, but a new port
// is announced once, for switches on the way that do. Addresses and MACs are unique in a tenant of one bridge; over
// several, whoever gives them out has to see to that. One owner sets the uplink, and the ports of all owners of the
// bridge use it. Close leaves it, opening without it takes it away, and Reconcile puts it back when its link was
// gone. The link belongs to the bridge: one by which the machine itself is reached is not for this.
//
// # Owners
//
// Several programs can share a bridge, and reach each other in a tenant. Each has an owner number, which marks
// its ports and rules, and touches no others. Ports and rules of other software on the bridge stay as they are.
//
// # What stays where
//
// Everything a Host knows is in the switch's database, so it needs no files and a restart loses nothing; but
// for groups, which are set again after Open. Links of a Host are in a link group of their own. A Host looks
// once a second whether the switch has lost its rules, as a restart makes it, and puts them back in one step;
// until then the bridge is closed.
//
// # What it does not do
//
// No tunnels to other machines, no IPv6, no routing between subnets, no DHCP, no address assignment. Ports are not
// told when an address moves to another MAC, because nothing floods: a MAC should stay with its address. On other
// machines tracked connections of an address that was given away age by themselves. The bandwidth a container sends
// is limited at its own end of the cable, so a container with NET_ADMIN could take that limit off; Docker gives none
// by default. On the userspace datapath one Open vSwitch at a time can run in a network namespace.
package hostnet
