package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/moset/moset/pkg/set"
)

// friend is a namespace that is no set, on the default network of the project.
type friend struct{ ns string } // path

const (
	friendName  = "moset-bench-friend"
	friendOwner = 60003 // of its port, so that the host's cleaning leaves it alone
)

// attachFriend reserves an address for a namespace and attaches it.
func (c *cloud) attachFriend(ctx context.Context) error {
	a, err := c.reserve(ctx, friendName)
	if err != nil {
		return err
	}
	_ = hostnettest.DeleteNetNS(friendName) // of a run that was killed
	if err := hostnettest.MakeNetNS(friendName); err != nil {
		return err
	}
	c.lab.onClose(func() error { return hostnettest.DeleteNetNS(friendName) })
	c.friend.ns = hostnettest.NetNSPath(friendName)
	host, err := hostnet.Open(ctx, hostnet.Config{Bridge: cloudBridge, RunDir: c.lab.ovsRunDir, Owner: friendOwner})
	if err != nil {
		return err
	}
	c.lab.onClose(host.Close)
	mac, err := net.ParseMAC(a.MAC)
	if err != nil {
		return err
	}
	spec := hostnet.PortSpec{ID: "bench/friend", NetNS: hostnet.NetNS{Path: c.friend.ns}, MAC: mac, Addrs: []netip.Prefix{a.Prefix},
		Gateway: a.Gateway, Tenant: hostnet.Tenant(a.Segment)}
	if _, err = host.Attach(ctx, spec); err != nil {
		return err
	}
	c.lab.onClose(func() error { return host.Detach(context.WithoutCancel(ctx), spec.ID) })
	return nil
}

// reserve holds an address of the default network.
func (c *cloud) reserve(ctx context.Context, name string) (address set.Address, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.RegionURL()+"/v1/networks/default/reservations/"+name, http.NoBody)
	if err != nil {
		return address, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return address, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return address, fmt.Errorf("reserve an address: the region answers %s", resp.Status)
	}
	var r ipam.Reservation
	err = json.NewDecoder(resp.Body).Decode(&r)
	return r.Address, err
}
