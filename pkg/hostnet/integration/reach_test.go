// Package integration tests hostnet on a real Open vSwitch and kernel. It needs root and
// MOSET_TEST_OVS_RUNDIR.
package integration

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve answers HTTP in a namespace until the test ends.
func serve(t *testing.T, spec hostnet.PortSpec, page string) string {
	t.Helper()
	address := net.JoinHostPort(spec.Addrs[0].Addr().String(), "80")
	l, err := hostnettest.Listen(spec.NetNS.Path, address)
	require.NoError(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(page)) })}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return "http://" + address + "/"
}

// get fetches what should be there.
func get(t *testing.T, from hostnet.PortSpec, url string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return hostnettest.HTTPGet(ctx, from.NetNS.Path, url)
}

// refused tries to fetch what should be out of reach, and gives the error of that.
func refused(t *testing.T, from hostnet.PortSpec, url string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	_, err := hostnettest.HTTPGet(ctx, from.NetNS.Path, url)
	return err
}

func TestPortsOfOneTenantReachEachOther(t *testing.T) {
	r := newRig(t)
	a, b := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2")
	r.attach(r.open(owner), a, b)
	assert.True(t, r.reaches(a, b))
	assert.True(t, r.reaches(b, a))
	page := string(bytes.Repeat([]byte("large enough for many segments "), 10000))
	got, err := get(t, a, serve(t, b, page))
	require.NoError(t, err)
	assert.Equal(t, page, got)
}

func TestPortsOfTwoOwnersInOneTenantReachEachOther(t *testing.T) {
	r := newRig(t)
	a, b := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2")
	first, second := r.open(owner), r.open(owner+1)
	r.attach(first, a)
	r.attach(second, b)
	got, err := get(t, a, serve(t, b, "hello"))
	require.NoError(t, err)
	assert.Equal(t, "hello", got)
	require.NoError(t, first.Detach(t.Context(), a.ID))
	r.attach(first, a)
	assert.True(t, r.reaches(a, b), "the other owner's rules stayed")
}

func TestOtherTenantIsOutOfReach(t *testing.T) {
	r := newRig(t)
	a, b, stranger := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2"), r.port(3, 6, "10.0.0.3")
	r.attach(r.open(owner), a, b, stranger)
	url := serve(t, b, "hello")
	_, err := get(t, a, url)
	require.NoError(t, err)
	assert.Error(t, refused(t, stranger, url))
	assert.True(t, r.outOfReach(stranger, b))
	assert.True(t, r.outOfReach(b, stranger))
}

func TestTenantsMayUseTheSameAddresses(t *testing.T) {
	r := newRig(t)
	a5, b5 := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2")
	a6, b6 := r.port(3, 6, "10.0.0.1"), r.port(4, 6, "10.0.0.2")
	a6.MAC, b6.MAC = a5.MAC, b5.MAC
	r.attach(r.open(owner), a5, b5, a6, b6)
	five, six := serve(t, b5, "five"), serve(t, b6, "six")
	assert.Equal(t, five, six)
	got, err := get(t, a5, five)
	require.NoError(t, err)
	assert.Equal(t, "five", got)
	got, err = get(t, a6, six)
	require.NoError(t, err)
	assert.Equal(t, "six", got)
}

func TestHostStackIsOutOfReach(t *testing.T) {
	r := newRig(t)
	a := r.port(1, 5, "10.0.0.1")
	st := r.attach(r.open(owner), a)[0]
	host, err := net.InterfaceByName(st.HostIf)
	require.NoError(t, err)
	l, err := net.ListenPacket("udp4", "0.0.0.0:0")
	require.NoError(t, err)
	defer l.Close()
	out, err := hostnettest.OpenWire(a.NetNS.Path, "eth0")
	require.NoError(t, err)
	defer out.Close()
	port := uint16(l.LocalAddr().(*net.UDPAddr).Port)
	for _, addr := range hostAddrs(t) {
		frame := hostnettest.UDPFrame(a.MAC, host.HardwareAddr, netip.MustParseAddrPort("10.0.0.1:1000"), netip.AddrPortFrom(addr, port), []byte("knock"))
		require.NoError(t, out.Send(frame))
	}
	require.NoError(t, l.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
	_, from, err := l.ReadFrom(make([]byte, 100))
	assert.Error(t, err, "a packet from %v came in beside the switch", from)
}

// hostAddrs are the host's own IPv4 addresses, loopback left out.
func hostAddrs(t *testing.T) []netip.Addr {
	t.Helper()
	all, err := net.InterfaceAddrs()
	require.NoError(t, err)
	var found []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			found = append(found, p.Addr())
		}
	}
	return found
}

func TestGroupsAdmitOnlyWhatTheirRulesSay(t *testing.T) {
	r := newRig(t)
	a, b := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2")
	b.Groups = []hostnet.GroupID{"web", "ssh"}
	h, other := r.open(owner), r.open(owner+1)
	r.attach(h, a, b)
	url := serve(t, b, "hello")
	assert.Error(t, refused(t, a, url), "closed until the group has rules")
	web := []hostnet.Rule{{Protocol: hostnet.ProtocolTCP, First: 80}}
	ssh := append([]hostnet.Rule{{Protocol: hostnet.ProtocolTCP, First: 22}}, web...)
	require.NoError(t, h.SetGroups(t.Context(), hostnet.Group{ID: "web", Rules: web}, hostnet.Group{ID: "ssh", Rules: ssh}))
	require.NoError(t, other.SetGroups(t.Context(), hostnet.Group{ID: "web", Rules: web}), "another owner's groups are its own")
	got, err := get(t, a, url)
	require.NoError(t, err)
	assert.Equal(t, "hello", got)
	assert.True(t, r.outOfReach(a, b), "ping is not in the rules")
	assert.True(t, r.reaches(b, a), "answers pass")
}

func TestAnAddressGivenAwayAgainInheritsNoConnection(t *testing.T) {
	r := newRig(t)
	a, b := r.port(1, 6, "10.0.0.1"), r.port(2, 6, "10.0.0.2")
	h := r.open(owner)
	r.attach(h, a, b)
	require.True(t, r.reaches(a, b), "open to its tenant: the ping is tracked now")
	require.NoError(t, h.Detach(t.Context(), b.ID))

	next := r.port(3, 6, "10.0.0.2") // the same address, now in a group that admits nothing
	next.MAC = b.MAC
	next.Groups = []hostnet.GroupID{"closed"}
	r.attach(h, next)
	assert.True(t, r.outOfReach(a, next))
}

func TestAnAddressGivenAwayAgainContinuesNoConnection(t *testing.T) {
	r := newRig(t)
	a, b := r.port(1, 6, "10.0.0.1"), r.port(2, 6, "10.0.0.2")
	h := r.open(owner)
	r.attach(h, a, b)
	require.True(t, r.reaches(a, b))
	require.NoError(t, h.Detach(t.Context(), a.ID))

	b.Groups = []hostnet.GroupID{"closed"}
	next := r.port(3, 6, "10.0.0.1") // calls as a did before
	next.MAC = a.MAC
	r.attach(h, b, next)
	assert.True(t, r.outOfReach(next, b))
	assert.True(t, r.reaches(b, next))
}
