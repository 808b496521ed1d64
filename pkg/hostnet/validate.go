package hostnet

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Bounds of PortSpec fields.
const (
	defaultIfName = "eth0"
	defaultMTU    = 1500
	minMTU        = 68    // RFC 791
	maxMTU        = 65520 // veth
	minRate       = 8 * Kbit
	maxRate       = 100 * Gbit
)

// normal returns the spec with defaults filled and its addresses in plain form.
func (s PortSpec) normal() PortSpec {
	s.IfName = or(s.IfName, defaultIfName)
	s.MTU = or(s.MTU, defaultMTU)
	s.MAC = slices.Clone(s.MAC)
	s.Groups = slices.Clone(s.Groups)
	s.Gateway = s.Gateway.Unmap()
	addrs := make([]netip.Prefix, len(s.Addrs))
	for i, a := range s.Addrs {
		addrs[i] = a
		if a.Addr().Is4In6() && a.Bits() >= 96 {
			addrs[i] = netip.PrefixFrom(a.Addr().Unmap(), a.Bits()-96)
		}
	}
	s.Addrs = addrs
	return s
}

// validate says which field of a normal spec is wrong.
func (s PortSpec) validate() error {
	for _, check := range []func(PortSpec) error{checkID, checkPlace, checkMAC, checkAddrs, checkGateway, checkGroups} {
		if err := check(s); err != nil {
			return err
		}
	}
	if err := checkLimit("ToContainer", s.ToContainer); err != nil {
		return err
	}
	return checkLimit("FromContainer", s.FromContainer)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func checkID(s PortSpec) error {
	if !isToken(string(s.ID), 128) {
		return invalid("port id %q must be 1 to 128 printable ASCII characters without spaces", s.ID)
	}
	if s.Tenant == 0 {
		return invalid("tenant must be 1 to 65535")
	}
	return nil
}

func checkPlace(s PortSpec) error {
	if s.NetNS.Path == "" {
		return invalid("the path of the network namespace is missing")
	}
	if !isToken(s.IfName, 15) || strings.ContainsAny(s.IfName, "/:") || s.IfName == "lo" || strings.Trim(s.IfName, ".") == "" {
		return invalid("interface name %q must be 1 to 15 characters without /, : and spaces, and not lo", s.IfName)
	}
	if s.MTU < minMTU || s.MTU > maxMTU {
		return invalid("MTU %d must be %d to %d bytes", s.MTU, minMTU, maxMTU)
	}
	return nil
}

func checkMAC(s PortSpec) error {
	if len(s.MAC) != 6 || s.MAC[0]&1 != 0 || bytes.Equal(s.MAC, make(net.HardwareAddr, 6)) {
		return invalid("MAC %q must be a unicast Ethernet address such as fa:16:3e:00:00:05", s.MAC)
	}
	return nil
}

func checkAddrs(s PortSpec) error {
	if len(s.Addrs) == 0 {
		return invalid("a port needs at least one address")
	}
	seen := map[netip.Addr]bool{}
	for _, p := range s.Addrs {
		a := p.Addr()
		if !p.IsValid() {
			return invalid("an address is missing; give one such as 10.0.0.5/24")
		}
		if a.Is6() {
			return fmt.Errorf("%w: %s is an IPv6 address, and the switch rules carry IPv4 only", ErrUnsupported, p)
		}
		if p.Bits() == 0 || !usable(p) {
			return invalid("address %q must be a host's IPv4 address with its subnet's length, such as 10.0.0.5/24", p)
		}
		if seen[a] {
			return invalid("address %s is given twice", a)
		}
		seen[a] = true
	}
	return nil
}

// usable tells whether a host may have the address: not the subnet's first (its name) or last (its broadcast).
func usable(p netip.Prefix) bool {
	a := p.Addr()
	if a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
		return false
	}
	if p.Bits() >= 31 {
		return true
	}
	next := a.Next()
	return a != p.Masked().Addr() && next.IsValid() && p.Contains(next)
}

func checkGateway(s PortSpec) error {
	if !s.Gateway.IsValid() {
		return nil
	}
	reachable := false
	for _, p := range s.Addrs {
		if p.Addr() == s.Gateway {
			return invalid("gateway %s is the port's own address", s.Gateway)
		}
		reachable = reachable || p.Contains(s.Gateway)
	}
	if !reachable {
		return invalid("gateway %s lies in none of the port's subnets", s.Gateway)
	}
	return nil
}

func checkGroups(s PortSpec) error {
	for _, g := range s.Groups {
		if !isToken(string(g), 64) {
			return invalid("group id %q must be 1 to 64 printable ASCII characters without spaces", g)
		}
	}
	return nil
}

func checkLimit(field string, l Limit) error {
	if l.Rate != 0 && (l.Rate < minRate || l.Rate > maxRate) {
		return invalid("%s rate %d must be 8 kbit/s to 100 Gbit/s, or 0 for none", field, l.Rate)
	}
	if l.MaxQueue < 0 {
		return invalid("%s longest wait %s must not be negative", field, l.MaxQueue)
	}
	return nil
}

func isToken(s string, longest int) bool {
	if len(s) == 0 || len(s) > longest {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
