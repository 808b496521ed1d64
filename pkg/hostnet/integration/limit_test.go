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
	r := newRig(t)
	a, b := r.port(1, 5, "10.0.0.1"), r.port(2, 5, "10.0.0.2")
	h := r.open(owner)
	r.attach(h, a, b)
	goodput := func() float64 {
		got, err := hostnettest.Goodput(t.Context(), a.NetNS.Path, b.NetNS.Path, "10.0.0.2:9000", 3*time.Second)
		require.NoError(t, err)
		t.Logf("%.2f Mbit/s", got/1e6)
		return got
	}
	const rate = 10 * hostnet.Mbit
	within := func(got float64) {
		assert.InDelta(t, 0.925*float64(rate), got, 0.055*float64(rate), "87 to 98 % of the rate")
	}

	require.NoError(t, h.SetLimits(t.Context(), b.ID, hostnet.Limit{Rate: rate}, hostnet.Limit{}))
	within(goodput())
	require.NoError(t, h.SetLimits(t.Context(), b.ID, hostnet.Limit{}, hostnet.Limit{}))
	assert.Greater(t, goodput(), 3*float64(rate), "without a limit it is faster")
	a.FromContainer = hostnet.Limit{Rate: rate}
	r.attach(h, a)
	within(goodput())
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
