// Command access-port attaches a network namespace of its own to a tenant's network, so that a person can
// reach the sets of that tenant with curl. It needs root and an Open vSwitch.
//
//	access-port -bridge br-moset -tenant 12 -addr 10.0.0.200/24
//	access-port -bridge br-moset -d
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
)

// owner marks what this program makes; the host daemon has another, so neither touches the other's.
const owner = 60001

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "access-port:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg := hostnet.Config{Owner: owner, OwnerName: "access-port"}
	var spec hostnet.PortSpec
	var addr netip.Prefix
	flag.StringVar(&cfg.RunDir, "rundir", hostnet.DefaultRunDir, "run directory of Open vSwitch")
	flag.StringVar(&cfg.Bridge, "bridge", hostnet.DefaultBridge, "bridge to attach to")
	name := flag.String("netns", "moset-access", "network namespace, made when missing")
	tenant := flag.Uint("tenant", 0, "network segment, 1 to 65535")
	flag.TextVar(&addr, "addr", netip.Prefix{}, "free address of the network with its length, such as 10.0.0.200/24")
	mac := flag.String("mac", "fa:16:3e:ac:ce:55", "MAC that no other port of the tenant has")
	flag.TextVar(&spec.Gateway, "gateway", netip.Addr{}, "default route; none when empty")
	detach := flag.Bool("d", false, "detach, and remove the namespace")
	flag.Parse()

	var err error
	if spec.MAC, err = net.ParseMAC(*mac); err != nil || *tenant > 65535 {
		return errors.Join(err, errors.New("-mac must be a MAC and -tenant 1 to 65535"))
	}
	host, err := hostnet.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer host.Close()
	spec.ID, spec.NetNS.Path = hostnet.PortID("access/"+*name), hostnettest.NetNSPath(*name)
	spec.Tenant, spec.Addrs = hostnet.Tenant(*tenant), []netip.Prefix{addr}
	if *detach {
		return errors.Join(host.Detach(ctx, spec.ID), hostnettest.DeleteNetNS(*name))
	}
	made := hostnettest.MakeNetNS(*name)
	if made != nil && !errors.Is(made, os.ErrExist) {
		return made
	}
	if _, err := host.Attach(ctx, spec); err != nil {
		if made == nil {
			err = errors.Join(err, hostnettest.DeleteNetNS(*name))
		}
		return err
	}
	fmt.Printf("%s is in tenant %d; try: ip netns exec %s curl http://<address of a set>/\n", addr, *tenant, *name)
	return nil
}
