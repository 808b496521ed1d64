package integration

import (
	"context"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
)

const owner = 77

// rig is a bridge of its own for one test.
type rig struct {
	t      testing.TB
	runDir string
	bridge string
	mark   string // of the test, in names
	watch  time.Duration
	uplink string
}

// newRig needs root and MOSET_TEST_OVS_RUNDIR, the run directory of an Open vSwitch for tests.
func newRig(t testing.TB) *rig {
	t.Helper()
	runDir := os.Getenv("MOSET_TEST_OVS_RUNDIR")
	require.NotEmpty(t, runDir, "set MOSET_TEST_OVS_RUNDIR to the run directory of an Open vSwitch for tests; make test does")
	require.Zero(t, os.Geteuid(), "these tests need root")
	h := fnv.New32a()
	fmt.Fprint(h, t.Name(), os.Getpid())
	r := &rig{t: t, runDir: runDir, watch: 100 * time.Millisecond, mark: fmt.Sprintf("%08x", h.Sum32())}
	r.bridge = "brt" + r.mark
	t.Cleanup(r.deleteBridge)
	return r
}

func (r *rig) config(owner uint16) hostnet.Config {
	return hostnet.Config{Bridge: r.bridge, RunDir: r.runDir, Owner: owner, Watch: r.watch, Uplink: r.uplink}
}

// open opens a Host and takes its ports away at the end.
func (r *rig) open(owner uint16) *hostnet.Host {
	r.t.Helper()
	h, err := hostnet.Open(r.t.Context(), r.config(owner))
	require.NoError(r.t, err)
	r.t.Cleanup(func() {
		_, err := h.Reconcile(context.Background(), nil)
		require.NoError(r.t, err)
		require.NoError(r.t, h.Close())
	})
	return h
}

// port makes a namespace and a spec for it: n is the last byte of its MAC, addr its address in a /24.
func (r *rig) port(n int, tenant hostnet.Tenant, addr string) hostnet.PortSpec {
	r.t.Helper()
	name := fmt.Sprintf("hnt%s-%d", r.mark, n)
	require.NoError(r.t, hostnettest.MakeNetNS(name))
	r.t.Cleanup(func() { require.NoError(r.t, hostnettest.DeleteNetNS(name)) })
	return hostnet.PortSpec{
		ID: hostnet.PortID(fmt.Sprintf("%s/%d", r.mark, n)), NetNS: hostnet.NetNS{Path: hostnettest.NetNSPath(name)}, Tenant: tenant,
		MAC: net.HardwareAddr{0xfa, 0x16, 0x3e, 0, 0, byte(n)}, Addrs: []netip.Prefix{netip.MustParsePrefix(addr + "/24")},
	}
}

func (r *rig) attach(h *hostnet.Host, specs ...hostnet.PortSpec) []hostnet.PortStatus {
	r.t.Helper()
	statuses, err := h.Attach(r.t.Context(), specs...)
	require.NoError(r.t, err)
	for _, st := range statuses {
		require.True(r.t, st.Ready)
	}
	return statuses
}

// reaches waits until the address of one port answers ping from another, and tells whether it did.
func (r *rig) reaches(from, to hostnet.PortSpec) bool { return r.ping(from, to, 20*time.Second) }

// outOfReach tells whether the address stays silent.
func (r *rig) outOfReach(from, to hostnet.PortSpec) bool { return !r.ping(from, to, time.Second) }

func (r *rig) ping(from, to hostnet.PortSpec, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(r.t.Context(), within)
	defer cancel()
	return hostnettest.Ping(ctx, from.NetNS.Path, to.Addrs[0].Addr()) == nil
}

func (r *rig) flows() string {
	r.t.Helper()
	out, err := exec.Command("ovs-ofctl", "--no-stats", "dump-flows", "unix:"+r.config(1).OpenFlowSocket()).CombinedOutput()
	require.NoError(r.t, err, string(out))
	lines := strings.Split(string(out), "\n")
	slices.Sort(lines) // the switch lists rules of one priority in any order
	return strings.Join(lines, "\n")
}

func (r *rig) vsctl(args ...string) string {
	r.t.Helper()
	out, err := exec.Command("ovs-vsctl", append([]string{"--timeout=20", "--db=unix:" + r.runDir + "/db.sock"}, args...)...).CombinedOutput()
	require.NoError(r.t, err, string(out))
	return strings.TrimSpace(string(out))
}

func (r *rig) deleteBridge() { r.vsctl("--if-exists", "del-br", r.bridge) }

func (r *rig) linkExists(name string) bool {
	_, err := netlink.LinkByName(name)
	return err == nil
}
