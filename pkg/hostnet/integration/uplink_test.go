package integration

import (
	"bytes"
	"os/exec"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

const often = 100 * time.Millisecond

func TestPortsOfOneTenantReachEachOtherOverTheUplink(t *testing.T) {
	c := newCloud(t, often)
	a, b, stranger := c.near.port(1, 5, "10.0.0.1"), c.far.port(2, 5, "10.0.0.2"), c.far.port(3, 6, "10.0.0.3")
	c.near.attach(c.host, a)
	c.far.attach(b, stranger)
	assert.True(t, c.near.reaches(a, b))
	assert.True(t, c.near.reaches(b, a))
	page := string(bytes.Repeat([]byte("large enough for many segments "), 10000))
	for _, way := range []struct{ from, to hostnet.PortSpec }{{a, b}, {b, a}} {
		got, err := get(t, way.from, serve(t, way.to, page))
		require.NoError(t, err)
		assert.Equal(t, page, got)
	}
	assert.True(t, c.near.outOfReach(a, stranger), "another tenant")
	assert.True(t, c.near.outOfReach(stranger, a), "another tenant")
	assert.Error(t, refused(t, a, serve(t, stranger, "hello")))
}

func TestTenantsMayUseTheSameAddressesOverTheUplink(t *testing.T) {
	c := newCloud(t, often)
	a5, a6 := c.near.port(1, 5, "10.0.0.1"), c.near.port(2, 6, "10.0.0.1")
	b5, b6 := c.far.port(3, 5, "10.0.0.2"), c.far.port(4, 6, "10.0.0.2")
	a6.MAC, b6.MAC = a5.MAC, b5.MAC
	c.near.attach(c.host, a5, a6)
	c.far.attach(b5, b6)
	for _, tt := range []struct {
		from, to hostnet.PortSpec
		page     string
	}{{a5, b5, "five"}, {a6, b6, "six"}} {
		got, err := get(t, tt.from, serve(t, tt.to, tt.page))
		require.NoError(t, err)
		assert.Equal(t, tt.page, got)
	}
}

func TestGroupsHoldOverTheUplink(t *testing.T) {
	c := newCloud(t, often)
	a, b := c.near.port(1, 5, "10.0.0.1"), c.far.port(2, 5, "10.0.0.2")
	a.Groups, b.Groups = []hostnet.GroupID{"closed"}, []hostnet.GroupID{"web"}
	c.near.attach(c.host, a)
	c.far.attach(b)
	c.far.obey(order{Groups: []hostnet.Group{{ID: "web", Rules: []hostnet.Rule{{Protocol: hostnet.ProtocolTCP, First: 80}}}}})
	got, err := get(t, a, serve(t, b, "hello"))
	require.NoError(t, err, "the web is in b's rules, and answers pass a's that admit nothing")
	assert.Equal(t, "hello", got)
	assert.True(t, c.near.outOfReach(a, b), "ping is not in b's rules")
	assert.True(t, c.near.outOfReach(b, a), "nothing is in a's rules")
	assert.Error(t, refused(t, b, serve(t, a, "hello")))
}

func TestLimitsHoldOverTheUplink(t *testing.T) {
	const rate = 10 * hostnet.Mbit
	c := newCloud(t, often)
	a, b := c.near.port(1, 5, "10.0.0.1"), c.far.port(2, 5, "10.0.0.2")
	b.ToContainer.Rate = rate
	c.near.attach(c.host, a)
	c.far.attach(b)
	got, err := hostnettest.Goodput(t.Context(), a.NetNS.Path, b.NetNS.Path, "10.0.0.2:9000", 3*time.Second)
	require.NoError(t, err)
	t.Logf("%.2f Mbit/s", got/1e6)
	assert.GreaterOrEqual(t, got, 0.5*float64(rate))
	assert.LessOrEqual(t, got, 0.98*float64(rate))
}

func TestAttacksOverTheUplinkAreDropped(t *testing.T) {
	c := newCloud(t, time.Hour) // or the rules would come back
	s := newScene(c.near, c.far.rig)
	c.near.attach(c.host, s.attacker)
	c.far.attach(s.victim, s.stranger, s.witness)
	s.sockets = []string{c.near.config(owner).OpenFlowSocket(), c.far.config(owner).OpenFlowSocket()}
	s.rehearse(t)
}

func TestPortsOfOtherOwnersUseTheUplinkToo(t *testing.T) {
	c := newCloud(t, often)
	c.near.uplink = "" // of the next owner's Config
	other := c.near.open(owner + 1)
	a, b := c.near.port(1, 5, "10.0.0.1"), c.far.port(2, 5, "10.0.0.2")
	c.near.attach(other, a)
	c.far.attach(b)
	assert.True(t, c.near.reaches(a, b))
}

func TestRestartedSwitchesGetTheirUplinkBack(t *testing.T) {
	c := newCloud(t, often)
	a, b := c.near.port(1, 5, "10.0.0.1"), c.far.port(2, 5, "10.0.0.2")
	c.near.attach(c.host, a)
	c.far.attach(b)
	require.True(t, c.near.reaches(a, b))
	c.far.obey(order{Restart: true})
	require.NoError(t, exec.Command("ovs-ofctl", "del-flows", "unix:"+c.near.config(owner).OpenFlowSocket()).Run())
	assert.True(t, c.near.reaches(a, b))
}

func TestUplinkThatWasMadeAnewCarriesAgain(t *testing.T) {
	c := newCloud(t, often)
	a, b := c.near.port(1, 5, "10.0.0.1"), c.far.port(2, 5, "10.0.0.2")
	c.near.attach(c.host, a)
	c.far.attach(b)
	require.True(t, c.near.reaches(a, b))
	c.cut()
	_, err := c.host.Reconcile(t.Context(), []hostnet.PortSpec{a})
	assert.ErrorIs(t, err, hostnet.ErrNotFound)
	assert.ErrorContains(t, err, c.near.uplink)
	c.connect()
	_, err = c.host.Reconcile(t.Context(), []hostnet.PortSpec{a})
	require.NoError(t, err)
	c.far.obey(order{Reconcile: []hostnet.PortSpec{b}})
	assert.True(t, c.near.reaches(a, b))
	c.near.vsctl("del-port", c.near.bridge, c.near.uplink)
	_, err = c.host.Reconcile(t.Context(), []hostnet.PortSpec{a})
	require.NoError(t, err)
	assert.True(t, c.near.reaches(a, b))
}

// spare makes a pair of links that a test may use as uplink, up at neither end.
func (r *rig) spare() string {
	r.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "u" + r.mark
	pair := &netlink.Veth{LinkAttrs: attrs, PeerName: "v" + r.mark}
	require.NoError(r.t, netlink.LinkAdd(pair))
	r.t.Cleanup(func() { require.NoError(r.t, netlink.LinkDel(pair)) })
	return attrs.Name
}

// reopen opens a Host and closes it.
func (r *rig) reopen(owner uint16) {
	r.t.Helper()
	h, err := hostnet.Open(r.t.Context(), r.config(owner))
	require.NoError(r.t, err)
	require.NoError(r.t, h.Close())
}

func TestUplinkStaysWithTheBridgeUntilItLeavesTheConfig(t *testing.T) {
	r := newRig(t)
	r.reopen(owner)
	flows, ports, qos := r.flows(), r.vsctl("list-ports", r.bridge), r.vsctl("--bare", "--columns=_uuid", "list", "qos")
	r.uplink = r.spare()
	r.reopen(owner)
	with := r.flows()
	assert.NotEqual(t, flows, with)
	assert.Equal(t, r.uplink, r.vsctl("list-ports", r.bridge), "Close leaves it")
	row := r.vsctl("get", "interface", r.uplink, "ofport")
	r.reopen(owner)
	assert.Equal(t, with, r.flows())
	assert.Equal(t, row, r.vsctl("get", "interface", r.uplink, "ofport"), "what is right is left alone")
	r.uplink = ""
	r.reopen(owner)
	assert.Equal(t, flows, r.flows())
	assert.Equal(t, ports, r.vsctl("list-ports", r.bridge))
	assert.Equal(t, qos, r.vsctl("--bare", "--columns=_uuid", "list", "qos"))
	assert.True(t, r.linkExists("u"+r.mark))
}

func TestUplinkIsNeverTakenFromOthers(t *testing.T) {
	r := newRig(t)
	h := r.open(owner)
	r.uplink = r.spare()
	second := "brs" + r.mark
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "brl" + r.mark}}
	tests := []struct {
		name       string
		take, back func()
		want       error
		text       string
	}{
		{"bridge of the same switch", func() {
			r.vsctl("add-br", second, "--", "set", "bridge", second, "datapath_type=netdev", "--", "add-port", second, r.uplink)
		}, func() { r.vsctl("del-br", second) }, hostnet.ErrConflict, "taken on a bridge"},
		{"port of other software on ours", func() { r.vsctl("add-port", r.bridge, r.uplink) },
			func() { r.vsctl("del-port", r.bridge, r.uplink) }, hostnet.ErrConflict, "ovs-vsctl del-port"},
		{"bridge of the kernel", func() {
			require.NoError(t, netlink.LinkAdd(bridge))
			require.NoError(t, netlink.LinkSetMaster(r.link(), bridge))
		}, func() { require.NoError(t, netlink.LinkDel(bridge)) }, hostnet.ErrConflict, "is part of brl"},
		{"no such link", func() { require.NoError(t, netlink.LinkSetName(r.link(), "w"+r.mark)) }, func() {
			link, err := netlink.LinkByName("w" + r.mark)
			require.NoError(t, err)
			require.NoError(t, netlink.LinkSetName(link, r.uplink))
		}, hostnet.ErrNotFound, "ip link lists"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.take()
			defer tt.back()
			flows, ports := r.flows(), r.vsctl("list-ports", r.bridge)
			_, err := hostnet.Open(t.Context(), r.config(owner+1))
			assert.ErrorIs(t, err, tt.want)
			assert.ErrorContains(t, err, tt.text)
			assert.Equal(t, ports, r.vsctl("list-ports", r.bridge))
			assert.Equal(t, flows, r.flows())
		})
	}
	assert.NoError(t, h.Check(t.Context()))
}

func (r *rig) link() netlink.Link {
	r.t.Helper()
	link, err := netlink.LinkByName(r.uplink)
	require.NoError(r.t, err)
	return link
}

// newWire is a bridge whose uplink ends in a bare namespace, where a test sees and sends every frame.
func newWire(t *testing.T) (*rig, *hostnet.Host, string) {
	t.Helper()
	r := newRig(t)
	name := "hnt" + r.mark + "-wire"
	require.NoError(t, hostnettest.MakeNetNS(name))
	t.Cleanup(func() { require.NoError(t, hostnettest.DeleteNetNS(name)) })
	r.uplink = r.spare() // deleted before the namespace would take it along
	path := hostnettest.NetNSPath(name)
	end, err := netlink.LinkByName("v" + r.mark)
	require.NoError(t, err)
	fd, err := netns.GetFromPath(path)
	require.NoError(t, err)
	defer fd.Close()
	require.NoError(t, netlink.LinkSetNsFd(end, int(fd)))
	require.NoError(t, hostnettest.InNetNS(path, func() error {
		end, err := netlink.LinkByName("v" + r.mark)
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(end)
	}))
	return r, r.open(owner), path
}

func TestFramesOnTheUplinkAreTaggedWithTheirTenant(t *testing.T) {
	r, h, path := newWire(t)
	a, b := r.port(1, 5, "10.0.0.1"), r.port(2, 4094, "10.0.0.1")
	r.attach(h, a, b)
	in, err := hostnettest.OpenWire(path, "v"+r.mark)
	require.NoError(t, err)
	defer in.Close()
	for _, p := range []hostnet.PortSpec{a, b} {
		out := wire(t, p)
		defer out.Close()
		frame := udp(p.MAC, nobodysMAC, addr(p), nobodysAddr)([]byte("any"))
		require.NoError(t, out.Send(frame))
		_, err := in.CountUntil(frame, hostnettest.VLANFrame(frame, uint16(p.Tenant)), 20*time.Second)
		assert.NoError(t, err)
	}
	tooHigh := r.port(3, 4095, "10.0.0.3")
	_, err = h.Attach(t.Context(), tooHigh)
	assert.ErrorIs(t, err, hostnet.ErrInvalid)
	assert.ErrorContains(t, err, "VLAN")
}

func TestANewPortIsAnnouncedOnTheUplink(t *testing.T) {
	r, h, path := newWire(t)
	in, err := hostnettest.OpenWire(path, "v"+r.mark)
	require.NoError(t, err)
	defer in.Close()
	a := r.port(1, 5, "10.0.0.1")
	r.attach(h, a)
	frame := vlan(5, arp(1, a.MAC, everyone, a.MAC, addr(a), addr(a)))(nil)
	_, err = in.CountUntil([]byte("none"), frame, 20*time.Second)
	assert.NoError(t, err)
}

func TestTheUplinkTakesNothingButTaggedIPv4AndARP(t *testing.T) {
	r, h, path := newWire(t)
	v, x := r.port(1, 5, "10.0.0.1"), r.port(2, 6, "10.0.0.2")
	r.attach(h, v, x)
	in := wire(t, v)
	defer in.Close()
	bare, err := hostnettest.OpenWire(path, "v"+r.mark)
	require.NoError(t, err)
	defer bare.Close()
	remote, far := nobodysMAC, nobodysAddr
	plain := udp(remote, v.MAC, far, addr(v))
	tests := []struct {
		name  string
		frame func([]byte) []byte
		want  int
	}{
		{"tagged UDP", vlan(5, plain), volley},
		{"tagged ARP request", vlan(5, arp(1, remote, everyone, remote, far, addr(v))), volley},
		{"no tag", plain, 0},
		{"tag of another tenant", vlan(6, plain), 0},
		{"tag for priority only", vlan(0, plain), 0},
		{"two tags", vlan(5, vlan(5, plain)), 0},
		{"DHCP server", vlan(5, dhcp(remote, v.MAC, far, addr(v))), 0},
		{"IPv6", vlan(5, advert(remote, v.MAC)), 0},
		{"IPv4 broadcast", vlan(5, udp(remote, everyone, far, addr(v))), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mark, last := []byte("mark of "+tt.name+"."), []byte("end of "+tt.name)
			for range volley {
				require.NoError(t, bare.Send(tt.frame(mark)))
			}
			require.NoError(t, bare.Send(vlan(5, plain)(last)))
			n, err := in.CountUntil(mark, last, 20*time.Second)
			require.NoError(t, err)
			assert.Equal(t, tt.want, n)
		})
	}
	t.Run("what nobody here takes does not go back", func(t *testing.T) {
		out := wire(t, v)
		defer out.Close()
		mark, last := []byte("stray"), []byte("end of strays")
		require.NoError(t, bare.Send(vlan(5, udp(remote, x.MAC, far, addr(x)))(mark)))
		require.NoError(t, bare.Send(vlan(5, plain)(last)))
		_, err := in.CountUntil(mark, last, 20*time.Second)
		require.NoError(t, err)
		require.NoError(t, out.Send(udp(v.MAC, remote, addr(v), far)(last)))
		n, err := bare.CountUntil(mark, last, 20*time.Second)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}
