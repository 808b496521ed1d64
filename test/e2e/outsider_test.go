package e2e

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
)

// outsider is a namespace that is no set, attached to a project's default network with an address the
// region reserved for it.
type outsider struct {
	ns   string
	addr string
}

const outsiderOwner = 60002 // of flows and ports, so that the host's own cleaning leaves them alone

// newOutsider attaches a namespace to the default network of a user's project.
func (c *cloud) newOutsider(t *testing.T, user, name string) outsider {
	t.Helper()
	fields := strings.Fields(c.must(t, user, "network", "reserve", "default", name,
		"--format", "{{.address.segment}} {{.address.prefix}} {{.address.mac}} {{.address.gateway}}"))
	t.Cleanup(func() { c.must(t, user, "network", "release", "default", name) })
	segment, err := strconv.ParseUint(fields[0], 10, 16)
	require.NoError(t, err)
	mac, err := net.ParseMAC(fields[2])
	require.NoError(t, err)
	ns := "moset-e2e-" + name
	require.NoError(t, hostnettest.MakeNetNS(ns))
	t.Cleanup(func() { require.NoError(t, hostnettest.DeleteNetNS(ns)) })
	host := openSwitch(t, c)
	spec := hostnet.PortSpec{ID: hostnet.PortID("outsider/" + name), NetNS: hostnet.NetNS{Path: hostnettest.NetNSPath(ns)}, MAC: mac,
		Addrs: []netip.Prefix{netip.MustParsePrefix(fields[1])}, Gateway: netip.MustParseAddr(fields[3]), Tenant: hostnet.Tenant(segment)}
	_, err = host.Attach(t.Context(), spec)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, host.Detach(context.Background(), spec.ID)) })
	return outsider{ns: hostnettest.NetNSPath(ns), addr: strings.Split(fields[1], "/")[0]}
}

func openSwitch(t *testing.T, c *cloud) *hostnet.Host {
	t.Helper()
	host, err := hostnet.Open(t.Context(), hostnet.Config{Bridge: c.cfg.Bridge, RunDir: c.cfg.OVSRunDir, Owner: outsiderOwner})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, host.Close()) })
	return host
}

// page fetches what has to be there. A server runs as soon as its containers do; its programs listen a moment later.
func (o outsider) page(t *testing.T, url string) (page string) {
	t.Helper()
	var err error
	require.Eventually(t, func() bool {
		page, err = o.get(t, url)
		return err == nil || !errors.Is(err, syscall.ECONNREFUSED)
	}, 20*time.Second, 20*time.Millisecond)
	require.NoError(t, err)
	return page
}

// get fetches a page within a few seconds.
func (o outsider) get(t *testing.T, url string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	return hostnettest.HTTPGet(ctx, o.ns, url)
}
