package hostnet

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Keys of Interface.external_ids. The first three are what Neutron's and OVN's agents look for; keySpec is
// the whole truth; the others repeat parts of it for people reading ovs-vsctl output.
const (
	keyIfaceID     = "iface-id"
	keyIfaceMAC    = "attached-mac"
	keyIfaceStatus = "iface-status"
	keyOwner       = "moset-owner"
	keyOwnerName   = "moset-owner-name"
	keyServer      = "moset-server"
	keyTenant      = "moset-tenant"
	keyAddrs       = "moset-addrs"
	keySpec        = "moset-spec"
)

// record is a PortSpec as JSON in the database, so that a restarted host knows its ports.
type record struct {
	ID            PortID            `json:"id"`
	Server        string            `json:"server,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	NetNS         NetNS             `json:"netns"`
	IfName        string            `json:"ifname"`
	MAC           string            `json:"mac"`
	Addrs         []netip.Prefix    `json:"addrs"`
	Gateway       *netip.Addr       `json:"gateway,omitempty"`
	MTU           int               `json:"mtu"`
	Tenant        Tenant            `json:"tenant"`
	Groups        []GroupID         `json:"groups,omitempty"`
	ToContainer   Limit             `json:"to"`
	FromContainer Limit             `json:"from"`
}

// externalIDs renders a spec for the database.
func externalIDs(s PortSpec, owner uint16, ownerName string) (map[string]string, error) {
	r := record{ID: s.ID, Server: s.Server, Labels: s.Labels, NetNS: s.NetNS, IfName: s.IfName, MAC: s.MAC.String(),
		Addrs: s.Addrs, MTU: s.MTU, Tenant: s.Tenant, Groups: s.Groups, ToContainer: s.ToContainer, FromContainer: s.FromContainer}
	if s.Gateway.IsValid() {
		r.Gateway = &s.Gateway
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return map[string]string{
		keyIfaceID: string(s.ID), keyIfaceMAC: s.MAC.String(), keyIfaceStatus: "active",
		keyOwner: strconv.Itoa(int(owner)), keyOwnerName: ownerName, keyServer: s.Server,
		keyTenant: strconv.Itoa(int(s.Tenant)), keyAddrs: joinAddrs(s.Addrs), keySpec: string(text),
	}, nil
}

// parseExternalIDs reads what externalIDs wrote. Rows of other software give false without an error.
func parseExternalIDs(ids map[string]string) (spec PortSpec, owner uint16, ours bool, err error) {
	text, ok := ids[keySpec]
	if !ok {
		return PortSpec{}, 0, false, nil
	}
	n, err := strconv.ParseUint(ids[keyOwner], 10, 16)
	if err != nil {
		return PortSpec{}, 0, false, fmt.Errorf("external_ids:%s is not a number: %w", keyOwner, err)
	}
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return PortSpec{}, 0, false, fmt.Errorf("external_ids:%s is damaged: %w", keySpec, err)
	}
	mac, err := net.ParseMAC(r.MAC)
	if err != nil {
		return PortSpec{}, 0, false, fmt.Errorf("external_ids:%s is damaged: %w", keySpec, err)
	}
	spec = PortSpec{ID: r.ID, Server: r.Server, Labels: r.Labels, NetNS: r.NetNS, IfName: r.IfName, MAC: mac,
		Addrs: r.Addrs, MTU: r.MTU, Tenant: r.Tenant, Groups: r.Groups, ToContainer: r.ToContainer, FromContainer: r.FromContainer}
	if r.Gateway != nil {
		spec.Gateway = *r.Gateway
	}
	return spec, uint16(n), true, nil
}

// sameWiring tells whether two specs need the same cable and rules to it. The namespace is compared by
// inode: a path may be a different name of the same one.
func sameWiring(a, b PortSpec) bool {
	return a.ID == b.ID && a.NetNS.Inode == b.NetNS.Inode && a.IfName == b.IfName && a.MAC.String() == b.MAC.String() &&
		slices.Equal(a.Addrs, b.Addrs) && a.Gateway == b.Gateway && a.MTU == b.MTU && a.Tenant == b.Tenant
}

// sameLimits tells whether two specs need the same shaping.
func sameLimits(a, b PortSpec) bool {
	return a.ToContainer == b.ToContainer && a.FromContainer == b.FromContainer
}

// sameNotes tells whether the rest is the same: what changes without touching the cable.
func sameNotes(a, b PortSpec) bool {
	return a.Server == b.Server && maps.Equal(a.Labels, b.Labels) && a.NetNS.Path == b.NetNS.Path && slices.Equal(a.Groups, b.Groups)
}

func joinAddrs(addrs []netip.Prefix) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, " ")
}
