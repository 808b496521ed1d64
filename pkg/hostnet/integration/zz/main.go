package main

import (
	_ "strings"
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
func sh(s string) string { o, _ := exec.Command("bash", "-c", s).CombinedOutput(); return string(o) }
func mk(n int) hostnet.PortSpec {
	name := fmt.Sprintf("hnz-%d", n)
	hostnettest.DeleteNetNS(name)
	die(hostnettest.MakeNetNS(name))
	return hostnet.PortSpec{ID: hostnet.PortID(name), Tenant: 5, NetNS: hostnet.NetNS{Path: hostnettest.NetNSPath(name)}, MAC: net.HardwareAddr{2, 0, 0, 0, 0, byte(n)}, Addrs: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/24", n))}}
}
func watch(tag string, ns string, t0 time.Time) {
	w, err := hostnettest.OpenWire(ns, "eth0")
	if err != nil { fmt.Println(err); return }
	go func() {
		for {
			w.AwaitAll(func(b []byte, out bool) { fmt.Printf("%8v %s out=%v %x\n", time.Since(t0).Round(10*time.Microsecond), tag, out, b[:min(len(b), 42)]) })
		}
	}()
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
		c, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		fmt.Println(hostnettest.Ping(c, a.NetNS.Path, b.Addrs[0].Addr()), time.Since(t))
	}
	ping()
	t0 := time.Now()
	watch("b", b.NetNS.Path, t0)
	for i := 0; i < 8; i++ {
		fmt.Println("-----", time.Since(t0))
	die(h.Detach(ctx, a.ID))
	fmt.Println("detached", time.Since(t0))
	_, err = h.Attach(ctx, a)
	die(err)
	fmt.Println("attached", time.Since(t0))
	watch("a", a.NetNS.Path, t0)
	ping()
	}
	h.Reconcile(ctx, nil)
}
