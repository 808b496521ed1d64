package integration

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/safchain/ethtool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
)

// tbfRate is the token bucket's rate in bytes a second on a device of the current namespace.
func tbfRate(t *testing.T, device string) uint64 {
	t.Helper()
	h, err := netlink.NewHandle()
	require.NoError(t, err)
	defer h.Close()
	link, err := h.LinkByName(device)
	require.NoError(t, err)
	qdiscs, err := h.QdiscList(link)
	require.NoError(t, err)
	for _, q := range qdiscs {
		if tbf, ok := q.(*netlink.Tbf); ok {
			return tbf.Rate
		}
	}
	return 0
}

func TestAttachSetsAddressMACRouteAndMTU(t *testing.T) {
	r := newRig(t)
	a := r.port(1, 5, "10.0.0.1")
	a.Gateway, a.MTU, a.IfName = netip.MustParseAddr("10.0.0.254"), 1400, "net0"
	a.Addrs = append(a.Addrs, netip.MustParsePrefix("10.1.0.1/24"))
	st := r.attach(r.open(owner), a)[0]
	host, err := netlink.LinkByName(st.HostIf)
	require.NoError(t, err)
	assert.Equal(t, 1400, host.Attrs().MTU)
	require.NoError(t, hostnettest.InNetNS(a.NetNS.Path, func() error {
		h, err := netlink.NewHandle()
		require.NoError(t, err)
		defer h.Close()
		link, err := h.LinkByName("net0")
		require.NoError(t, err)
		assert.Equal(t, a.MAC, link.Attrs().HardwareAddr)
		assert.Equal(t, 1400, link.Attrs().MTU)
		addrs, err := h.AddrList(link, netlink.FAMILY_V4)
		require.NoError(t, err)
		require.Len(t, addrs, 2)
		assert.Equal(t, "10.0.0.1/24", addrs[0].IPNet.String())
		routes, err := h.RouteList(link, netlink.FAMILY_V4)
		require.NoError(t, err)
		assert.Contains(t, fmt.Sprint(routes), "10.0.0.254")
		return nil
	}))
}

func TestBothEndsComputeTheirChecksums(t *testing.T) {
	r := newRig(t)
	a := r.port(1, 5, "10.0.0.1")
	st := r.attach(r.open(owner), a)[0]
	check := func(device string) error {
		e, err := ethtool.NewEthtool()
		if err != nil {
			return err
		}
		defer e.Close()
		on, err := e.Features(device)
		for _, feature := range []string{"tx-checksum-ip-generic", "tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-generic-segmentation"} {
			assert.Contains(t, on, feature)
			assert.False(t, on[feature], "%s of %s", feature, device)
		}
		return err
	}
	require.NoError(t, check(st.HostIf))
	require.NoError(t, hostnettest.InNetNS(a.NetNS.Path, func() error { return check("eth0") }))
}

func TestAttachAgainChangesNothing(t *testing.T) {
	r := newRig(t)
	h := r.open(owner)
	a := r.port(1, 5, "10.0.0.1")
	before := r.attach(h, a)
	flows := r.flows()
	assert.Equal(t, before, r.attach(h, a))
	assert.Equal(t, flows, r.flows())
}

func TestRestartedContainerGetsItsPortBack(t *testing.T) {
	r := newRig(t)
	h := r.open(owner)
	a, b := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2")
	r.attach(h, a, b)
	require.True(t, r.reaches(a, b))
	name := strings.TrimPrefix(a.NetNS.Path, hostnettest.NetNSPath("")+"/")
	require.NoError(t, hostnettest.DeleteNetNS(name))
	require.NoError(t, hostnettest.MakeNetNS(name))
	r.attach(h, a)
	assert.True(t, r.reaches(a, b))
}

func TestTwentyCallersAtOnceShareCommits(t *testing.T) {
	if alone(t) == nil {
		return // the inner process counts commits, so nobody else may make any
	}
	r := newRig(t)
	h := r.open(owner)
	specs := make([]hostnet.PortSpec, 20)
	for i := range specs {
		specs[i] = r.port(i+1, 5, fmt.Sprintf("10.0.0.%d", i+1))
	}
	r.attach(h, specs[0])
	commits := func() int {
		n, err := strconv.Atoi(r.vsctl("get", "open_vswitch", ".", "next_cfg"))
		require.NoError(t, err)
		return n
	}
	before := commits()
	var wg sync.WaitGroup
	for _, s := range specs[1:] {
		wg.Go(func() {
			_, err := h.Attach(t.Context(), s)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Less(t, commits()-before, 10)
	for _, s := range specs[1:] {
		assert.True(t, r.reaches(specs[0], s))
	}
}

func TestDetachLeavesNothing(t *testing.T) {
	r := newRig(t)
	h := r.open(owner)
	flows, ports := r.flows(), r.vsctl("list-ports", r.bridge)
	qos := r.vsctl("--bare", "--columns=_uuid", "list", "qos")
	a, b, c := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2"), r.port(3, 5, "10.0.0.3")
	statuses := r.attach(h, a, b, c)
	require.NoError(t, h.Detach(t.Context(), a.ID, b.ID))
	require.NoError(t, hostnettest.DeleteNetNS(strings.TrimPrefix(c.NetNS.Path, hostnettest.NetNSPath("")+"/")))
	require.NoError(t, h.Detach(t.Context(), c.ID))
	for _, st := range statuses {
		assert.Eventually(t, func() bool { return !r.linkExists(st.HostIf) }, 20*time.Second, 10*time.Millisecond)
	}
	assert.Equal(t, flows, r.flows())
	assert.Equal(t, ports, r.vsctl("list-ports", r.bridge))
	assert.Equal(t, qos, r.vsctl("--bare", "--columns=_uuid", "list", "qos"))
	list, err := h.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, list)
	assert.NoError(t, h.Detach(t.Context(), a.ID), "again")
}

func TestFailedAttachLeavesNothing(t *testing.T) {
	r := newRig(t)
	h := r.open(owner)
	flows := r.flows()
	good, taken := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2")
	taken.ID, taken.NetNS, taken.IfName = "taken", good.NetNS, "eth0"
	statuses, err := h.Attach(t.Context(), good, taken)
	assert.ErrorIs(t, err, hostnet.ErrConflict)
	assert.ErrorContains(t, err, "already has an interface eth0")
	assert.True(t, statuses[0].Ready)
	require.NoError(t, h.Detach(t.Context(), good.ID))
	assert.Equal(t, flows, r.flows())
	_, err = h.Attach(t.Context(), hostnet.PortSpec{ID: "x", Tenant: 5, MAC: good.MAC, Addrs: good.Addrs, NetNS: hostnet.NetNS{Path: "/run/netns/never-was"}})
	assert.ErrorIs(t, err, hostnet.ErrNotFound)
}

func TestReconcileRemovesOnlyWhatIsItsOwn(t *testing.T) {
	r := newRig(t)
	mine, other := r.open(owner), r.open(owner+1)
	a, b, c := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2"), r.port(3, 5, "10.0.0.3")
	r.attach(mine, a, b)
	r.attach(other, c)
	r.vsctl("add-port", r.bridge, "vm"+r.mark, "--", "set", "interface", "vm"+r.mark, "type=internal")
	report, err := mine.Reconcile(t.Context(), []hostnet.PortSpec{a})
	require.NoError(t, err)
	assert.Equal(t, []hostnet.PortID{b.ID}, report.Removed)
	assert.Empty(t, report.Added)
	assert.Empty(t, report.Fixed)
	assert.True(t, r.reaches(a, c))
	assert.Contains(t, r.vsctl("list-ports", r.bridge), "vm"+r.mark)
}

func TestBridgeThatForwardsByItselfIsRefused(t *testing.T) {
	r := newRig(t)
	r.vsctl("add-br", r.bridge, "--", "set", "bridge", r.bridge, "datapath_type=netdev")
	_, err := hostnet.Open(t.Context(), r.config(owner))
	assert.ErrorIs(t, err, hostnet.ErrConflict)
	assert.ErrorContains(t, err, "set-fail-mode")
}

func TestOpenWithoutASwitchSaysWhatToDo(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	_, err := hostnet.Open(t.Context(), hostnet.Config{RunDir: dir, Bridge: r.bridge, Owner: owner})
	assert.ErrorIs(t, err, hostnet.ErrUnavailable)
	assert.ErrorContains(t, err, "Open vSwitch does not answer at "+dir+"/db.sock; start it")
}
