package hostnet

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSpecIsChecked(t *testing.T) {
	prefixes := func(texts ...string) (all []netip.Prefix) {
		for _, s := range texts {
			all = append(all, netip.MustParsePrefix(s))
		}
		return all
	}
	tests := []struct {
		name   string
		change func(*PortSpec)
		want   error
		text   string
	}{
		{"good", func(*PortSpec) {}, nil, ""},
		{"no id", func(s *PortSpec) { s.ID = "" }, ErrInvalid, "port id"},
		{"id with a space", func(s *PortSpec) { s.ID = "a b" }, ErrInvalid, "port id"},
		{"long id", func(s *PortSpec) { s.ID = PortID(strings.Repeat("x", 129)) }, ErrInvalid, "port id"},
		{"no tenant", func(s *PortSpec) { s.Tenant = 0 }, ErrInvalid, "tenant"},
		{"no namespace", func(s *PortSpec) { s.NetNS.Path = "" }, ErrInvalid, "namespace"},
		{"interface with a slash", func(s *PortSpec) { s.IfName = "a/b" }, ErrInvalid, "interface name"},
		{"loopback", func(s *PortSpec) { s.IfName = "lo" }, ErrInvalid, "interface name"},
		{"dots", func(s *PortSpec) { s.IfName = ".." }, ErrInvalid, "interface name"},
		{"long interface", func(s *PortSpec) { s.IfName = "abcdefghijklmnop" }, ErrInvalid, "interface name"},
		{"small MTU", func(s *PortSpec) { s.MTU = 67 }, ErrInvalid, "MTU"},
		{"large MTU", func(s *PortSpec) { s.MTU = 65521 }, ErrInvalid, "MTU"},
		{"no MAC", func(s *PortSpec) { s.MAC = nil }, ErrInvalid, "MAC"},
		{"zero MAC", func(s *PortSpec) { s.MAC = make(net.HardwareAddr, 6) }, ErrInvalid, "MAC"},
		{"multicast MAC", func(s *PortSpec) { s.MAC = net.HardwareAddr{1, 0, 0, 0, 0, 1} }, ErrInvalid, "MAC"},
		{"no address", func(s *PortSpec) { s.Addrs = nil }, ErrInvalid, "address"},
		{"zero address", func(s *PortSpec) { s.Addrs = make([]netip.Prefix, 1) }, ErrInvalid, "address"},
		{"IPv6", func(s *PortSpec) { s.Addrs = prefixes("2001:db8::1/64") }, ErrUnsupported, "IPv6"},
		{"twice", func(s *PortSpec) { s.Addrs = prefixes("10.0.0.5/24", "10.0.0.5/16") }, ErrInvalid, "twice"},
		{"subnet's name", func(s *PortSpec) { s.Addrs = prefixes("10.0.0.0/24") }, ErrInvalid, "host's"},
		{"subnet's broadcast", func(s *PortSpec) { s.Addrs = prefixes("10.0.0.255/24") }, ErrInvalid, "host's"},
		{"multicast", func(s *PortSpec) { s.Addrs = prefixes("224.0.0.5/24") }, ErrInvalid, "host's"},
		{"loopback address", func(s *PortSpec) { s.Addrs = prefixes("127.0.0.5/8") }, ErrInvalid, "host's"},
		{"point to point", func(s *PortSpec) { s.Addrs = prefixes("10.0.0.0/31") }, nil, ""},
		{"single", func(s *PortSpec) { s.Addrs = prefixes("10.0.0.255/32") }, nil, ""},
		{"mapped IPv4", func(s *PortSpec) { s.Addrs = prefixes("::ffff:10.0.0.5/120") }, nil, ""},
		{"gateway", func(s *PortSpec) { s.Gateway = netip.MustParseAddr("10.0.0.1") }, nil, ""},
		{"own gateway", func(s *PortSpec) { s.Gateway = netip.MustParseAddr("10.0.0.5") }, ErrInvalid, "own address"},
		{"far gateway", func(s *PortSpec) { s.Gateway = netip.MustParseAddr("10.0.1.1") }, ErrInvalid, "subnets"},
		{"group with a space", func(s *PortSpec) { s.Groups = []GroupID{"a b"} }, ErrInvalid, "group id"},
		{"tiny rate", func(s *PortSpec) { s.ToContainer.Rate = 1 }, ErrInvalid, "ToContainer"},
		{"huge rate", func(s *PortSpec) { s.FromContainer.Rate = 101 * Gbit }, ErrInvalid, "FromContainer"},
		{"negative wait", func(s *PortSpec) { s.FromContainer.MaxQueue = -time.Second }, ErrInvalid, "FromContainer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := examplePort()
			tt.change(&s)
			err := s.normal().validate()
			assert.ErrorIs(t, err, tt.want)
			if tt.want != nil {
				assert.ErrorContains(t, err, tt.text)
			}
		})
	}
}

func TestRulesOfGroupsAreChecked(t *testing.T) {
	tests := []struct {
		name string
		rule Rule
		want error
	}{
		{"all", Rule{}, nil},
		{"range", Rule{Protocol: ProtocolTCP, First: 1, Last: 65535}, nil},
		{"reversed", Rule{Protocol: ProtocolTCP, First: 9, Last: 8}, ErrInvalid},
		{"last alone", Rule{Protocol: ProtocolUDP, Last: 8}, ErrInvalid},
		{"ports of ICMP", Rule{Protocol: ProtocolICMP, First: 8}, ErrInvalid},
		{"unknown protocol", Rule{Protocol: "sctp"}, ErrInvalid},
		{"IPv6 source", Rule{From: netip.MustParsePrefix("2001:db8::/32")}, ErrUnsupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Group{ID: "g", Rules: []Rule{tt.rule}}.validate()
			assert.ErrorIs(t, err, tt.want)
			if err == nil {
				_, err := renderGroup(1, Group{ID: "g", Rules: []Rule{tt.rule}})
				assert.NoError(t, err)
			}
		})
	}
}

func TestBucketOfALimit(t *testing.T) {
	tests := []struct {
		name  string
		limit Limit
		mtu   int
		want  bucket
	}{
		{"burst is ten frames at least", Limit{Rate: 10 * Mbit}, 1500, bucket{1250000, 15140, 15140 + 62500}},
		{"burst is 10 ms of a fast rate", Limit{Rate: Gbit}, 1500, bucket{125000000, 1250000, 1250000 + 6250000}},
		{"own burst and wait", Limit{Rate: 8 * Mbit, Burst: 20000, MaxQueue: 10 * time.Millisecond}, 1500, bucket{1000000, 20000, 30000}},
		{"one frame always fits", Limit{Rate: 8 * Kbit, Burst: 1}, 9000, bucket{1000, 9014, 18028}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, bucketOf(tt.limit, tt.mtu)) })
	}
}
