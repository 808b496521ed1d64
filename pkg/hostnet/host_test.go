package hostnet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const owner = 7

// newHost opens a Host of an owner on a fake switch.
func newHost(t *testing.T, f *hostnettest.Fake, owner uint16, change ...func(*hostnet.Config)) *hostnet.Host {
	t.Helper()
	cfg := hostnet.Config{Owner: owner, Watch: 5 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	h, err := hostnet.New(t.Context(), cfg, f.Parts(owner))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

// port is a valid spec with a namespace of its own on the fake; n makes it differ from others.
func port(f *hostnettest.Fake, n int) hostnet.PortSpec {
	path := fmt.Sprintf("/run/netns/%d", n)
	f.AddNetNS(path)
	return hostnet.PortSpec{
		ID: hostnet.PortID(fmt.Sprintf("port-%d", n)), NetNS: hostnet.NetNS{Path: path}, Tenant: 5,
		MAC:   net.HardwareAddr{0xfa, 0x16, 0x3e, 0, byte(n >> 8), byte(n)},
		Addrs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 16)},
	}
}

func attach(t *testing.T, h *hostnet.Host, specs ...hostnet.PortSpec) []hostnet.PortStatus {
	t.Helper()
	statuses, err := h.Attach(t.Context(), specs...)
	require.NoError(t, err)
	return statuses
}

func TestAttachMakesLinkRulesAndPort(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	st := attach(t, h, port(f, 1))[0]
	assert.True(t, st.Ready)
	assert.NoError(t, st.Problem)
	assert.Len(t, f.Links(), 1)
	row := f.Rows()[0]
	assert.Equal(t, st.HostIf, row.Name)
	assert.Equal(t, int(st.OFPort), row.Request)
	assert.Equal(t, "port-1", row.ExternalIDs["iface-id"])
	assert.Equal(t, "fa:16:3e:00:00:01", row.ExternalIDs["attached-mac"])
	assert.Equal(t, "active", row.ExternalIDs["iface-status"])
	assert.Equal(t, "7", row.ExternalIDs["moset-owner"])
}

func TestAttachAgainChangesNothing(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	spec := port(f, 1)
	before := attach(t, h, spec)
	applied, committed, created := f.Calls(hostnettest.CallApply), f.Calls(hostnettest.CallCommit), f.Calls(hostnettest.CallCreate)
	assert.Equal(t, before, attach(t, h, spec))
	assert.Equal(t, applied, f.Calls(hostnettest.CallApply))
	assert.Equal(t, committed, f.Calls(hostnettest.CallCommit))
	assert.Equal(t, created, f.Calls(hostnettest.CallCreate))
}

func TestAttachToANewNamespaceMovesThePort(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	spec := port(f, 1)
	before := attach(t, h, spec)[0]
	f.AddNetNS(spec.NetNS.Path) // as a restarted container has
	after := attach(t, h, spec)[0]
	assert.True(t, after.Ready)
	assert.NotEqual(t, before.HostIf, after.HostIf, "the same name would be a black hole on the userspace datapath")
	assert.NotEqual(t, before.OFPort, after.OFPort)
	assert.Len(t, f.Rows(), 1)
	assert.Len(t, f.Links(), 1)
}

func TestAttachWithOtherAddressMakesThePortAnew(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	spec := port(f, 1)
	attach(t, h, spec)
	spec.Addrs = []netip.Prefix{netip.MustParsePrefix("10.0.9.9/16")}
	attach(t, h, spec)
	flows := strings.Join(f.FlowTexts(), "\n")
	assert.Contains(t, flows, "nw_src=10.0.9.9")
	assert.NotContains(t, flows, "nw_src=10.0.0.1,")
	assert.Len(t, f.Rows(), 1)
}

func TestAttachWithOtherLimitsKeepsTheLink(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	spec := port(f, 1)
	before := attach(t, h, spec)[0]
	spec.ToContainer.Rate = 10 * hostnet.Mbit
	after := attach(t, h, spec)[0]
	assert.Equal(t, before.HostIf, after.HostIf)
	to, from := f.Shape(after.HostIf)
	assert.Equal(t, 10*hostnet.Mbit, to.Rate)
	assert.Zero(t, from)
	list, err := h.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 10*hostnet.Mbit, list[0].Spec.ToContainer.Rate)
}

func TestConcurrentAttachesShareCommits(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner, func(c *hostnet.Config) { c.BatchDelay = 20 * time.Millisecond })
	before := f.Calls(hostnettest.CallCommit)
	var wg sync.WaitGroup
	for n := 1; n <= 20; n++ {
		spec := port(f, n)
		wg.Go(func() {
			_, err := h.Attach(t.Context(), spec)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Len(t, f.Rows(), 20)
	assert.Less(t, f.Calls(hostnettest.CallCommit)-before, 6)
}

func TestAttachRefusesWhatATenantHasAlready(t *testing.T) {
	f := hostnettest.NewFake()
	h, other := newHost(t, f, owner), newHost(t, f, owner+1)
	attach(t, other, port(f, 1))
	tests := []struct {
		name   string
		change func(*hostnet.PortSpec)
		ok     bool
	}{
		{"same address", func(s *hostnet.PortSpec) { s.MAC = net.HardwareAddr{2, 0, 0, 0, 0, 9} }, false},
		{"same MAC", func(s *hostnet.PortSpec) { s.Addrs = []netip.Prefix{netip.MustParsePrefix("10.0.7.7/16")} }, false},
		{"both in another tenant", func(s *hostnet.PortSpec) { s.Tenant = 6 }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.AddNetNS("/run/netns/new")
			spec := port(f, 1)
			spec.ID, spec.NetNS.Path = "mine", "/run/netns/new"
			tt.change(&spec)
			_, err := h.Attach(t.Context(), spec)
			if tt.ok {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, hostnet.ErrConflict)
			assert.ErrorContains(t, err, "port-1 of owner-8")
		})
	}
}

func TestAttachRefusesTwinsInOneRequest(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	a, b := port(f, 1), port(f, 2)
	b.Addrs = a.Addrs
	statuses, err := h.Attach(t.Context(), a, b)
	assert.ErrorIs(t, err, hostnet.ErrConflict)
	assert.True(t, statuses[0].Ready)
	assert.ErrorIs(t, statuses[1].Problem, hostnet.ErrConflict)
	assert.Len(t, f.Rows(), 1)
}

func TestFailedAttachLeavesNothing(t *testing.T) {
	boom := errors.New("boom")
	for _, call := range []string{hostnettest.CallCreate, hostnettest.CallShape, hostnettest.CallCommit, hostnettest.CallWait, hostnettest.CallList, hostnettest.CallHas} {
		t.Run(call, func(t *testing.T) {
			f := hostnettest.NewFake()
			h := newHost(t, f, owner, func(c *hostnet.Config) { c.Watch = time.Hour })
			rules := len(f.FlowTexts())
			f.Fail(call, boom)
			_, err := h.Attach(t.Context(), port(f, 1))
			assert.ErrorIs(t, err, boom)
			f.Fail(call, nil)
			assert.Empty(t, f.Links())
			assert.Empty(t, f.Rows())
			assert.Len(t, f.FlowTexts(), rules)
		})
	}
}

func TestOneBadPortDoesNotTakeOthersWithIt(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	good, gone, bad := port(f, 1), port(f, 2), port(f, 3)
	f.RemoveNetNS(gone.NetNS.Path)
	bad.MAC = nil
	statuses, err := h.Attach(t.Context(), gone, good, bad)
	assert.ErrorIs(t, err, hostnet.ErrNotFound)
	assert.ErrorIs(t, err, hostnet.ErrInvalid)
	assert.ErrorIs(t, statuses[0].Problem, hostnet.ErrNotFound)
	assert.True(t, statuses[1].Ready)
	assert.ErrorIs(t, statuses[2].Problem, hostnet.ErrInvalid)
	assert.Len(t, f.Rows(), 1)
}

func TestAttachAvoidsNumbersOfOtherSoftware(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddPort(hostnet.PortRow{Name: "vm1", OFPort: 0x4000})
	f.AddPort(hostnet.PortRow{Name: "vm2", Request: 0x4001, OFPort: -1})
	st := attach(t, newHost(t, f, owner), port(f, 1))[0]
	assert.EqualValues(t, 0x4002, st.OFPort)
}

func TestDetachTakesEverythingAway(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	rules := len(f.FlowTexts())
	a, b := port(f, 1), port(f, 2)
	attach(t, h, a, b)
	f.RemoveNetNS(b.NetNS.Path)
	require.NoError(t, h.Detach(t.Context(), a.ID, b.ID, "never-was"))
	assert.Empty(t, f.Links())
	assert.Empty(t, f.Rows())
	assert.Len(t, f.FlowTexts(), rules)
	assert.NoError(t, h.Detach(t.Context(), a.ID), "again")
}

func TestDetachWorksWhileTheSwitchIsDown(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	attach(t, h, port(f, 1))
	f.Fail(hostnettest.CallApply, fmt.Errorf("%w: down", hostnet.ErrUnavailable))
	require.NoError(t, h.Detach(t.Context(), "port-1"))
	assert.Empty(t, f.Links())
	assert.Empty(t, f.Rows())
}

func TestOwnersDoNotTouchEachOther(t *testing.T) {
	f := hostnettest.NewFake()
	a, b := newHost(t, f, 1), newHost(t, f, 2)
	attach(t, a, port(f, 1))
	attach(t, b, port(f, 2))
	f.AddPort(hostnet.PortRow{Name: "vm1", OFPort: 3})
	require.NoError(t, a.Detach(t.Context(), "port-2"))
	report, err := a.Reconcile(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, []hostnet.PortID{"port-1"}, report.Removed)
	list, err := b.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.True(t, list[0].Ready)
	assert.Len(t, f.Rows(), 2)
	assert.Contains(t, strings.Join(f.FlowTexts(), "\n"), "nw_src=10.0.0.2")
}

func TestReconcileAddsFixesAndRemoves(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	same, moved, slower, stale := port(f, 1), port(f, 2), port(f, 3), port(f, 4)
	attach(t, h, same, moved, slower, stale)
	f.AddNetNS(moved.NetNS.Path)
	slower.FromContainer.Rate = hostnet.Mbit
	f.AddLink(owner, "orphan")
	added, broken := port(f, 5), port(f, 6)
	f.RemoveNetNS(broken.NetNS.Path)
	report, err := h.Reconcile(t.Context(), []hostnet.PortSpec{same, moved, slower, added, broken})
	assert.ErrorIs(t, err, hostnet.ErrNotFound)
	assert.Equal(t, []hostnet.PortID{"port-5"}, report.Added)
	assert.Equal(t, []hostnet.PortID{"port-2", "port-3"}, report.Fixed)
	assert.Equal(t, []hostnet.PortID{"port-4"}, report.Removed)
	assert.Len(t, report.Failed, 1)
	assert.ErrorIs(t, report.Failed["port-6"], hostnet.ErrNotFound)
	assert.NotContains(t, f.Links(), "orphan")
	assert.Len(t, f.Links(), 4)
}

func TestRestartedSwitchGetsItsRulesBack(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	attach(t, h, port(f, 1))
	before := f.FlowTexts()
	f.Restart()
	select {
	case e := <-h.Events():
		assert.Equal(t, hostnet.SwitchRestarted, e.Kind)
	case <-time.After(5 * time.Second):
		t.Fatal("nobody noticed")
	}
	assert.ElementsMatch(t, before, f.FlowTexts())
}

func TestSwitchThatStopsAnsweringIsReportedOnce(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	down := fmt.Errorf("%w: gone", hostnet.ErrUnavailable)
	f.Fail(hostnettest.CallHas, down)
	e := <-h.Events()
	assert.Equal(t, hostnet.SwitchDown, e.Kind)
	assert.ErrorIs(t, e.Err, hostnet.ErrUnavailable)
	assert.ErrorIs(t, h.Check(t.Context()), hostnet.ErrUnavailable)
	f.Fail(hostnettest.CallHas, nil)
	assert.Equal(t, hostnet.SwitchUp, (<-h.Events()).Kind)
	assert.NoError(t, h.Check(t.Context()))
}

func TestNewHostTakesOverItsPorts(t *testing.T) {
	f := hostnettest.NewFake()
	first := newHost(t, f, owner)
	spec := port(f, 1)
	spec.Gateway, spec.Labels = netip.MustParseAddr("10.0.0.254"), map[string]string{"a": "b"}
	before := attach(t, first, spec)
	require.NoError(t, first.Close())
	f.Restart()
	f.AddLink(owner, "orphan")
	second := newHost(t, f, owner)
	list, err := second.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, list)
	assert.Contains(t, strings.Join(f.FlowTexts(), "\n"), "nw_src=10.0.0.1,")
	assert.NotContains(t, f.Links(), "orphan")
}

func TestListShowsWhatIsBroken(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	spec := port(f, 1)
	attach(t, h, spec)
	f.RemoveNetNS(spec.NetNS.Path)
	list, err := h.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.False(t, list[0].Ready)
	assert.ErrorIs(t, list[0].Problem, hostnet.ErrNotFound)
}

func TestSetLimits(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	st := attach(t, h, port(f, 1))[0]
	require.NoError(t, h.SetLimits(t.Context(), "port-1", hostnet.Limit{Rate: hostnet.Mbit}, hostnet.Limit{Rate: 2 * hostnet.Mbit}))
	to, from := f.Shape(st.HostIf)
	assert.Equal(t, hostnet.Mbit, to.Rate)
	assert.Equal(t, 2*hostnet.Mbit, from.Rate)
	assert.ErrorIs(t, h.SetLimits(t.Context(), "nobody", hostnet.Limit{}, hostnet.Limit{}), hostnet.ErrNotFound)
	assert.ErrorIs(t, h.SetLimits(t.Context(), "port-1", hostnet.Limit{Rate: 1}, hostnet.Limit{}), hostnet.ErrInvalid)
}

func TestSetGroupsReplacesRules(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	spec := port(f, 1)
	spec.Groups = []hostnet.GroupID{"web"}
	attach(t, h, spec)
	web := func(port uint16) hostnet.Group {
		return hostnet.Group{ID: "web", Rules: []hostnet.Rule{{Protocol: hostnet.ProtocolTCP, First: port}}}
	}
	require.NoError(t, h.SetGroups(t.Context(), web(80)))
	require.NoError(t, h.SetGroups(t.Context(), web(443)))
	flows := strings.Join(f.FlowTexts(), "\n")
	assert.Contains(t, flows, "tp_dst=0x01bb")
	assert.NotContains(t, flows, "tp_dst=0x0050")
	assert.ErrorIs(t, h.SetGroups(t.Context(), hostnet.Group{ID: "a b"}), hostnet.ErrInvalid)
}

func TestCallersThatLeaveGetTheirContextsError(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Attach(ctx, port(f, 1))
	assert.ErrorIs(t, err, context.Canceled)
}

func TestClosedHostRefuses(t *testing.T) {
	f := hostnettest.NewFake()
	h := newHost(t, f, owner)
	require.NoError(t, h.Close())
	_, err := h.Attach(t.Context(), port(f, 1))
	assert.ErrorIs(t, err, hostnet.ErrUnavailable)
}

func TestNewNeedsAnOwner(t *testing.T) {
	_, err := hostnet.New(t.Context(), hostnet.Config{}, hostnettest.NewFake().Parts(0))
	assert.ErrorIs(t, err, hostnet.ErrInvalid)
}
