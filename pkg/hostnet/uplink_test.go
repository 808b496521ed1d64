package hostnet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func withUplink(name string) func(*hostnet.Config) {
	return func(c *hostnet.Config) { c.Uplink = name }
}

// away is part of the rule that sends out what nobody here takes.
const away = "push_vlan:0x8100"

func TestUplinkIsAPortOfItsOwnerWithRules(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddUplink("eth1")
	newHost(t, f, owner, withUplink("eth1"))
	row := f.Rows()[0]
	assert.Equal(t, "eth1", row.Name)
	assert.Equal(t, "7", row.ExternalIDs["moset-owner"])
	assert.Contains(t, strings.Join(f.FlowTexts(), "\n"), away)
}

func TestUplinkIsNoPortToListOrReconcile(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddUplink("eth1")
	h := newHost(t, f, owner, withUplink("eth1"))
	list, err := h.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, list)
	rows, flows := f.Rows(), f.FlowTexts()
	report, err := h.Reconcile(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, report.Removed)
	assert.Equal(t, rows, f.Rows())
	assert.ElementsMatch(t, flows, f.FlowTexts())
}

func TestReconcileBringsALostUplinkBack(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddUplink("eth1")
	h := newHost(t, f, owner, withUplink("eth1"))
	before := f.Rows()[0]
	f.RemoveLink("eth1")
	_, err := h.Reconcile(t.Context(), nil)
	assert.ErrorIs(t, err, hostnet.ErrNotFound)
	f.AddUplink("eth1") // another link of the same name
	_, err = h.Reconcile(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, f.Rows(), 1)
	assert.NotEqual(t, before.Request, f.Rows()[0].Request, "the switch would go on reading the old one")
	assert.NotContains(t, strings.Join(f.FlowTexts(), "\n"), "output:16384")
}

func TestRestartedSwitchGetsItsUplinkRulesBack(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddUplink("eth1")
	h := newHost(t, f, owner, withUplink("eth1"))
	attach(t, h, port(f, 1))
	before := f.FlowTexts()
	for _, lost := range []bool{false, true} {
		if lost {
			f.RemoveLink("eth1")
		}
		f.Restart()
		assert.Equal(t, hostnet.SwitchRestarted, (<-h.Events()).Kind, "ports do not wait for the uplink")
		assert.ElementsMatch(t, before, f.FlowTexts())
	}
}

func TestUplinkGoesWhenItLeavesTheConfig(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddUplink("eth1")
	f.AddUplink("eth2")
	for _, name := range []string{"eth1", "eth2", ""} {
		require.NoError(t, newHost(t, f, owner, withUplink(name)).Close())
		var names []string
		for _, r := range f.Rows() {
			names = append(names, r.Name)
		}
		assert.Equal(t, name, strings.Join(names, " "))
	}
	assert.NotContains(t, strings.Join(f.FlowTexts(), "\n"), away)
	assert.True(t, slices.Contains(f.Links(), "eth1"))
}

func TestABridgeHasOneUplink(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddUplink("eth1")
	f.AddUplink("eth2")
	newHost(t, f, owner, withUplink("eth1"))
	for _, name := range []string{"eth1", "eth2"} {
		_, err := hostnet.New(t.Context(), hostnet.Config{Owner: owner + 1, Uplink: name}, f.Parts(owner+1))
		assert.ErrorIs(t, err, hostnet.ErrConflict)
		assert.ErrorContains(t, err, "uplink eth1 of owner-7")
	}
	newHost(t, f, owner+1)
	assert.Len(t, f.Rows(), 1)
	assert.Contains(t, strings.Join(f.FlowTexts(), "\n"), away)
}

func TestTenantsMustFitTheUplinksTag(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddUplink("eth1")
	newHost(t, f, owner, withUplink("eth1"))
	other := newHost(t, f, owner+1)
	fits, tooHigh := port(f, 1), port(f, 2)
	fits.Tenant, tooHigh.Tenant = 4094, 4095
	statuses, err := other.Attach(t.Context(), fits, tooHigh)
	assert.ErrorIs(t, err, hostnet.ErrInvalid)
	assert.NoError(t, statuses[0].Problem)
	assert.ErrorContains(t, statuses[1].Problem, "tenant 4095 does not fit a VLAN tag")
}

func TestFailedUplinkLeavesNothing(t *testing.T) {
	boom := errors.New("boom")
	for _, call := range []string{hostnettest.CallCommit, hostnettest.CallWait, hostnettest.CallApply} {
		t.Run(call, func(t *testing.T) {
			f := hostnettest.NewFake()
			f.AddUplink("eth1")
			f.Fail(call, boom)
			_, err := hostnet.New(t.Context(), hostnet.Config{Owner: owner, Uplink: "eth1", Watch: time.Hour}, f.Parts(owner))
			assert.ErrorIs(t, err, boom)
			assert.Empty(t, f.Rows())
			assert.Empty(t, f.FlowTexts())
		})
	}
}

func TestPartsWithoutUplinksSaySo(t *testing.T) {
	f := hostnettest.NewFake()
	parts := f.Parts(owner)
	parts.Uplinks = nil
	_, err := hostnet.New(t.Context(), hostnet.Config{Owner: owner, Uplink: "eth1"}, parts)
	assert.ErrorIs(t, err, hostnet.ErrUnsupported)
}

func TestNewPortsAreAnnouncedOnTheUplink(t *testing.T) {
	f := hostnettest.NewFake()
	f.AddUplink("eth1")
	h := newHost(t, f, owner, withUplink("eth1"))
	number := f.Rows()[0].OFPort
	first := port(f, 1)
	attach(t, h, first, port(f, 2))
	assert.Equal(t, 2, f.Sent(number))
	f.Fail(hostnettest.CallSend, errors.New("boom"))
	attach(t, h, port(f, 3))
	f.Fail(hostnettest.CallSend, nil)
	attach(t, h, first)
	assert.Equal(t, 2, f.Sent(number), "nothing new about it")
}
