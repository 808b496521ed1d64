package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
)

// native attaches with hostnet, as a host daemon does for sets that come at the same time: each port is a
// call of its own, and hostnet puts together what it finds waiting.
type native struct {
	host *hostnet.Host
	ids  []hostnet.PortID
}

const nativeBridge = "br-bench-go"

func (l *lab) newNative(ctx context.Context) (*native, error) {
	if err := l.commands(ctx, []string{"ovs-vsctl", "--db=unix:" + l.ovsRunDir + "/db.sock", "--if-exists", "del-br", nativeBridge}); err != nil {
		return nil, err
	}
	host, err := hostnet.Open(ctx, hostnet.Config{Bridge: nativeBridge, RunDir: l.ovsRunDir, Datapath: hostnet.DatapathNetdev, Owner: 1, Logger: l.logger})
	if err != nil {
		return nil, err
	}
	l.onClose(func() error {
		return errors.Join(host.Close(), l.commands(context.WithoutCancel(ctx),
			[]string{"ovs-vsctl", "--db=unix:" + l.ovsRunDir + "/db.sock", "--if-exists", "del-br", nativeBridge}))
	})
	return &native{host: host}, nil
}

func (n *native) bridge() string { return nativeBridge }

func (n *native) address(port int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(port)}) }

func (n *native) spec(prefix string, port int) hostnet.PortSpec {
	limit := hostnet.Limit{Rate: 100 * hostnet.Mbit}
	return hostnet.PortSpec{ID: hostnet.PortID(fmt.Sprint("bench/", port)), NetNS: hostnet.NetNS{Path: hostnettest.NetNSPath(fmt.Sprint(prefix, port))},
		MAC: net.HardwareAddr{0xfa, 0x16, 0x3e, 0x77, 0, byte(port)}, Addrs: []netip.Prefix{netip.PrefixFrom(n.address(port), 16)},
		Gateway: netip.AddrFrom4([4]byte{10, 77, 255, 254}), Tenant: 77, ToContainer: limit, FromContainer: limit}
}

func (n *native) attach(ctx context.Context, prefix string) (time.Duration, error) {
	errs := make([]error, attachPorts)
	n.ids = nil
	var all sync.WaitGroup
	begun := time.Now()
	for i := range attachPorts {
		spec := n.spec(prefix, i+1)
		n.ids = append(n.ids, spec.ID)
		all.Go(func() { _, errs[i] = n.host.Attach(ctx, spec) })
	}
	all.Wait()
	return time.Since(begun), errors.Join(errs...)
}

func (n *native) detach(ctx context.Context) error { return n.host.Detach(ctx, n.ids...) }
