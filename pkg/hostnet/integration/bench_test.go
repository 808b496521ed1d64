package integration

import (
	"fmt"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
)

// burst is how many ports come at once.
const burst = 50

// burstPorts are limited ports in namespaces of their own.
func burstPorts(r *rig) []hostnet.PortSpec {
	limit := hostnet.Limit{Rate: 100 * hostnet.Mbit}
	specs := make([]hostnet.PortSpec, burst)
	for i := range specs {
		specs[i] = r.port(i+1, 5, fmt.Sprintf("10.0.0.%d", i+1))
		specs[i].ToContainer, specs[i].FromContainer = limit, limit
	}
	return specs
}

// BenchmarkBurst attaches and detaches many ports in one call each, beside a script that takes the same steps
// with one call of each tool for each port.
func BenchmarkBurst(b *testing.B) {
	r := newRig(b)
	h, specs := r.open(owner), burstPorts(r)
	var attach, detach, shell time.Duration
	for b.Loop() {
		attach += r.timed(func() { r.attach(h, specs...) })
		detach += r.timed(func() { require.NoError(b, h.Detach(b.Context(), ids(specs)...)) })
		shell += r.timed(func() {
			for i, s := range specs {
				careful(b, r, i, s)
			}
		})
		removeCareful(r)
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(burst*b.N) }
	b.ReportMetric(0, "ns/op") // of all three together: no figure
	b.ReportMetric(each(attach), "attach-ms/port")
	b.ReportMetric(each(detach), "detach-ms/port")
	b.ReportMetric(each(shell), "shell-attach-ms/port")
	b.ReportMetric(each(attach)/each(shell), "attach/shell")
}

// timed measures fn on a switch that has done all it was told before.
func (r *rig) timed(fn func()) time.Duration {
	r.t.Helper()
	r.vsctl("set", "bridge", r.bridge, "other-config:touched=yes")
	start := time.Now()
	fn()
	return time.Since(start)
}

func ids(specs []hostnet.PortSpec) []hostnet.PortID {
	ids := make([]hostnet.PortID, len(specs))
	for i, s := range specs {
		ids[i] = s.ID
	}
	return ids
}

// hostLink is the script's name for the host's end of a port's cable.
func hostLink(r *rig, i int) string { return fmt.Sprintf("s%s%d", r.mark, i) }

// careful is what a script would do for one port: the cable with its far end born in the namespace, then
// limits, rules and the port, each by one call.
func careful(b *testing.B, r *rig, i int, s hostnet.PortSpec) {
	b.Helper()
	script := exec.Command("bash", "-euc", carefulScript)
	script.Env = append(script.Environ(), "LINK="+hostLink(r, i), "SPACE="+s.NetNS.Path[len("/run/netns/"):], "MAC="+s.MAC.String(),
		"ADDR="+netip.Prefix.String(s.Addrs[0]), "IP="+addr(s).String(), fmt.Sprint("NUMBER=", 20000+i), "BRIDGE="+r.bridge,
		"DB=unix:"+r.runDir+"/db.sock", "SOCKET=unix:"+r.config(owner).OpenFlowSocket())
	out, err := script.CombinedOutput()
	require.NoError(b, err, string(out))
}

const carefulScript = `
ip -batch - <<END
link add $LINK mtu 1500 type veth peer name eth0 netns $SPACE address $MAC mtu 1500
link set $LINK up
END
ip -n $SPACE -batch - <<END
addr add $ADDR dev eth0
link set eth0 up
END
tc qdisc replace dev $LINK root tbf rate 100mbit burst 125kb latency 50ms
tc -n $SPACE qdisc replace dev eth0 root tbf rate 100mbit burst 125kb latency 50ms
ovs-ofctl add-flows $SOCKET - <<END
table=0,priority=100,in_port=$NUMBER,actions=load:5->NXM_NX_REG6[],resubmit(,110)
table=110,priority=100,ip,in_port=$NUMBER,dl_src=$MAC,nw_src=$IP,actions=resubmit(,120)
table=110,priority=100,arp,in_port=$NUMBER,dl_src=$MAC,arp_sha=$MAC,arp_spa=$IP,actions=resubmit(,120)
table=140,priority=100,reg6=5,dl_dst=$MAC,actions=load:$NUMBER->NXM_NX_REG1[],resubmit(,150)
table=140,priority=100,arp,reg6=5,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_tpa=$IP,actions=load:$NUMBER->NXM_NX_REG1[],resubmit(,150)
END
ovs-vsctl --db=$DB add-port $BRIDGE $LINK -- set interface $LINK ofport_request=$NUMBER external_ids:iface-id=$LINK
`

// removeCareful takes away what the script made.
func removeCareful(r *rig) {
	r.t.Helper()
	var del []string
	for i := range burst {
		del = append(del, "--", "del-port", r.bridge, hostLink(r, i))
		link, err := netlink.LinkByName(hostLink(r, i))
		require.NoError(r.t, err)
		require.NoError(r.t, netlink.LinkDel(link))
	}
	r.vsctl(del...)
	out, err := exec.Command("ovs-ofctl", "del-flows", "unix:"+r.config(owner).OpenFlowSocket(), "cookie=0/-1").CombinedOutput()
	require.NoError(r.t, err, string(out))
}
