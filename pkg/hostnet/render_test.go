package hostnet

import (
	"flag"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/digitalocean/go-openvswitch/ovs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

func examplePort() PortSpec {
	return PortSpec{ID: "web/0", MAC: net.HardwareAddr{0xfa, 0x16, 0x3e, 0, 0, 5}, Tenant: 12,
		NetNS: NetNS{Path: "/run/netns/web", Inode: 4026532000},
		Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")}}.normal()
}

// golden compares rules with a file, one rule a line.
func golden(t *testing.T, name string, flows []*ovs.Flow) {
	t.Helper()
	var b strings.Builder
	for _, f := range flows {
		text, err := f.MarshalText()
		require.NoError(t, err)
		b.Write(text)
		b.WriteByte('\n')
	}
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String())
}

func TestRules(t *testing.T) {
	two, grouped := examplePort(), examplePort()
	two.Addrs = append(two.Addrs, netip.MustParsePrefix("10.1.0.5/24"))
	grouped.Groups = []GroupID{"web", "ssh"}
	group, err := renderGroup(7, Group{ID: "web", Rules: []Rule{
		{Protocol: ProtocolTCP, First: 80}, {Protocol: ProtocolUDP, First: 1000, Last: 1010, From: netip.MustParsePrefix("10.0.0.0/28")},
		{Protocol: ProtocolICMP}, {From: netip.MustParsePrefix("10.0.0.9/32")}}})
	require.NoError(t, err)
	golden(t, "global.flows", append(globalFlows(), canaryFlow(7)))
	golden(t, "port.flows", renderPort(wiring{7, 0x4001, examplePort()}))
	golden(t, "port-two-addresses.flows", renderPort(wiring{7, 0x4001, two}))
	golden(t, "port-groups.flows", renderPort(wiring{7, 0x4001, grouped}))
	golden(t, "group.flows", group)
	golden(t, "uplink.flows", renderUplink(7, 0x4001))
}

func TestGlobalRulesLeaveTheSharedTableAlone(t *testing.T) {
	for _, f := range globalFlows() {
		assert.NotEqual(t, tableClassify, f.Table, "other software on the bridge starts there too")
	}
}

func TestCookiesTellOwnersAndPortsApart(t *testing.T) {
	covers := func(m *ovs.MatchFlow, c uint64) bool { return c&m.CookieMask == m.Cookie }
	mine := cookie(7, kindPort, 0x4001)
	assert.True(t, covers(portFlows(7, 0x4001), mine))
	assert.False(t, covers(portFlows(8, 0x4001), mine))
	assert.False(t, covers(portFlows(7, 0x4002), mine))
	assert.True(t, covers(flowsOf(7, kindPort), mine))
	assert.False(t, covers(flowsOf(7, kindCanary), mine))
	assert.False(t, covers(flowsOf(7, kindPort), cookie(0, kindGlobal, 0)))
	later := mine + 1<<generationShift
	assert.True(t, covers(portFlows(7, 0x4001), later), "of any generation")
}

func TestGroupsWithTheSameRuleShareIt(t *testing.T) {
	h := &Host{cfg: Config{Owner: 7}, groups: map[GroupID]Group{}}
	for _, id := range []GroupID{"a", "b"} {
		h.groups[id] = Group{ID: id, Rules: []Rule{{Protocol: ProtocolTCP, First: 80}, {Protocol: ProtocolTCP, First: 80}}}
	}
	flows, err := h.groupFlows()
	require.NoError(t, err)
	golden(t, "groups-same-rule.flows", flows)
}
