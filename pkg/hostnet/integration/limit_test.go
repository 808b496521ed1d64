package integration

import (
	"testing"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLimitsHoldBothWays(t *testing.T) {
	const rate = 10 * hostnet.Mbit
	limit := hostnet.Limit{Rate: rate}
	tests := []struct {
		name   string
		change func(from, to *hostnet.PortSpec)
		least  float64 // of the rate
		most   float64
	}{
		{"to the container", func(_, to *hostnet.PortSpec) { to.ToContainer = limit }, 0.87, 0.98},
		{"from the container", func(from, _ *hostnet.PortSpec) { from.FromContainer = limit }, 0.87, 0.98},
		{"none", func(_, _ *hostnet.PortSpec) {}, 3, 1e6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t) // new ports each time: TCP remembers how fast a peer was
			a, b := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2")
			tt.change(&a, &b)
			r.attach(r.open(owner), a, b)
			got, err := hostnettest.Goodput(t.Context(), a.NetNS.Path, b.NetNS.Path, "10.0.0.2:9000", 3*time.Second)
			require.NoError(t, err)
			t.Logf("%.2f Mbit/s", got/1e6)
			assert.GreaterOrEqual(t, got, tt.least*float64(rate))
			assert.LessOrEqual(t, got, tt.most*float64(rate))
		})
	}
}

func TestSetLimitsChangesALivePort(t *testing.T) {
	r := newRig(t)
	h := r.open(owner)
	a := r.port(1, 5, "10.0.0.1")
	before := r.attach(h, a)[0]
	require.NoError(t, h.SetLimits(t.Context(), a.ID, hostnet.Limit{Rate: 8 * hostnet.Mbit}, hostnet.Limit{Rate: 16 * hostnet.Mbit}))
	assert.Equal(t, uint64(1e6), tbfRate(t, before.HostIf))
	require.NoError(t, hostnettest.InNetNS(a.NetNS.Path, func() error {
		assert.Equal(t, uint64(2e6), tbfRate(t, "eth0"))
		return nil
	}))
	require.NoError(t, h.SetLimits(t.Context(), a.ID, hostnet.Limit{}, hostnet.Limit{}))
	assert.Zero(t, tbfRate(t, before.HostIf))
	assert.Equal(t, before, r.attach(h, a)[0])
}

func TestLimitIsThereFromTheFirstPacketAndSurvivesTheSwitch(t *testing.T) {
	r := newRig(t)
	a := r.port(1, 5, "10.0.0.1")
	a.ToContainer, a.FromContainer = hostnet.Limit{Rate: 10 * hostnet.Mbit}, hostnet.Limit{Rate: 20 * hostnet.Mbit}
	st := r.attach(r.open(owner), a)[0]
	r.vsctl("set", "bridge", r.bridge, "other-config:touched=yes") // makes the switch configure all ports again
	assert.Equal(t, uint64(10e6/8), tbfRate(t, st.HostIf))
	require.NoError(t, hostnettest.InNetNS(a.NetNS.Path, func() error {
		assert.Equal(t, uint64(20e6/8), tbfRate(t, "eth0"))
		return nil
	}))
}
