package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
)

func die(err error) {
	if err != nil {
		fmt.Println("FATAL", err)
		os.Exit(1)
	}
}
func sh(s string) { o, e := exec.Command("bash", "-c", s).CombinedOutput(); fmt.Println("$", s, e, "\n"+string(o)) }
func mk(n int) hostnet.PortSpec {
	name := fmt.Sprintf("hnz-%d", n)
	hostnettest.DeleteNetNS(name)
	die(hostnettest.MakeNetNS(name))
	return hostnet.PortSpec{ID: hostnet.PortID(name), Tenant: 5, NetNS: hostnet.NetNS{Path: hostnettest.NetNSPath(name)}, MAC: net.HardwareAddr{2, 0, 0, 0, 0, byte(n)}, Addrs: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/24", n))}}
}
func main() {
	ctx := context.Background()
	h, err := hostnet.Open(ctx, hostnet.Config{Bridge: "br-zz", RunDir: "/tmp/hn/ovs", Owner: 9})
	die(err)
	a, b := mk(1), mk(2)
	_, err = h.Attach(ctx, a, b)
	die(err)
	ping := func() {
		t := time.Now()
		c, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		fmt.Println(hostnettest.Ping(c, a.NetNS.Path, b.Addrs[0].Addr()), time.Since(t))
	}
	switch os.Args[1] {
	case "restart":
		ping()
		hostnettest.DeleteNetNS("hnz-1")
		die(hostnettest.MakeNetNS("hnz-1"))
		_, err = h.Attach(ctx, a)
		die(err)
		sh("ovs-appctl -t /tmp/hn/ovs/v.ctl dpctl/dump-flows; OVS_RUNDIR=/tmp/hn/ovs ovs-ofctl dump-flows unix:/tmp/hn/ovs/br-zz.mgmt | grep -v n_packets=0; ip -n hnz-1 n; ip -n hnz-2 n")
		go func() {time.Sleep(700*time.Millisecond)
		sh("ovs-appctl -t /tmp/hn/ovs/v.ctl dpctl/dump-flows; OVS_RUNDIR=/tmp/hn/ovs ovs-ofctl dump-flows unix:/tmp/hn/ovs/br-zz.mgmt | grep -v n_packets=0; ip -n hnz-1 n; ip -n hnz-2 n; tail -5 /tmp/hn/ovs/v.log; ip link; ip -n hnz-1 -s l; ip -n hnz-2 -s l")}()
		ping()
	case "limit":
		a.FromContainer.Rate = 10 * hostnet.Mbit
		_, err = h.Attach(ctx, a)
		die(err)
		for i := 0; i < 3; i++ {
			go func() { for k := 0; k < 5; k++ { time.Sleep(time.Second); sh("tc -n hnz-1 -s qdisc show dev eth0 | tail -3") } }()
			fmt.Println(hostnettest.Goodput(ctx, a.NetNS.Path, b.NetNS.Path, "10.0.0.2:9000", 5*time.Second))
		}
	}
	h.Reconcile(ctx, nil)
	hostnettest.DeleteNetNS("hnz-1")
	hostnettest.DeleteNetNS("hnz-2")
	sh("ovs-vsctl --db=unix:/tmp/hn/ovs/db.sock del-br br-zz")
}
