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
func main() {
	ctx := context.Background()
	o, err := hostnettest.StartOVS(ctx, "/tmp/hn/"+os.Args[1])
	die(err)
	defer o.Stop()
	t := time.Now()
	h, err := hostnet.Open(ctx, hostnet.Config{Bridge: "br-" + os.Args[1], RunDir: o.RunDir(), Owner: 7})
	if err != nil { fmt.Println(err); return }
	fmt.Println("open", time.Since(t))
	var specs []hostnet.PortSpec
	for i := 0; i < 3; i++ {
		n := fmt.Sprintf("hn-%s-%d", os.Args[1], i)
		hostnettest.DeleteNetNS(n)
		die(hostnettest.MakeNetNS(n))
		defer hostnettest.DeleteNetNS(n)
		mac := net.HardwareAddr{2, 0, 0, 0, 0, byte(i + 1)}
		specs = append(specs, hostnet.PortSpec{ID: hostnet.PortID("p" + n), NetNS: hostnet.NetNS{Path: hostnettest.NetNSPath(n)}, MAC: mac, Addrs: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/24", i+2))}, Gateway: netip.MustParseAddr("10.0.0.1"), Tenant: hostnet.Tenant(1 + i/2), ToContainer: hostnet.Limit{Rate: 10 * hostnet.Mbit}})
	}
	for i := 0; i < 2; i++ {
		t = time.Now()
		st, err := h.Attach(ctx, specs...)
		fmt.Println("attach", time.Since(t), err)
		for _, s := range st {
			fmt.Printf("%+v\n", s)
		}
	}
	sh("OVS_RUNDIR=/tmp/hn/" + os.Args[1] + " ovs-ofctl dump-flows unix:/tmp/hn/" + os.Args[1] + "/br-" + os.Args[1] + ".mgmt")
	sh("ovs-vsctl --db=unix:/tmp/hn/" + os.Args[1] + "/db.sock show; ovs-vsctl --db=unix:/tmp/hn/" + os.Args[1] + "/db.sock list interface")
	sh("ip netns exec hn-" + os.Args[1] + "-0 ip a; ip netns exec hn-" + os.Args[1] + "-0 ip r; tc qdisc; ip -d link | grep -A2 mo; ip netns exec hn-"+os.Args[1]+"-0 ping -c 3 -i 0.2 -W1 10.0.0.3; ip netns exec hn-"+os.Args[1]+"-0 ping -c 1 -W1 10.0.0.4")
	if len(os.Args) > 2 { sh(os.Args[2]) }
	t = time.Now()
	die(h.Detach(ctx, specs[0].ID, specs[1].ID, specs[2].ID))
	fmt.Println("detach", time.Since(t))
	h.Close()
	sh("ovs-vsctl --db=unix:/tmp/hn/" + os.Args[1] + "/db.sock show; ip link")
}
