package schedtest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/moset/moset/pkg/sched"
)

func TestAccountCatchesEachBrokenRule(t *testing.T) {
	set := sched.Set{
		ID: "s", Group: "web", Need: sched.Vector{sched.CPU: 5}, Networks: []string{"blue"},
		Require:      []sched.Selector{{Key: "disk"}},
		AntiAffinity: []sched.AntiAffinity{{Group: "db"}},
	}
	for want, change := range map[string]func(h *sched.Host){
		"":                                 func(*sched.Host) {},
		"0 of 4 cpu are used and 5 needed": func(h *sched.Host) { h.Capacity[sched.CPU] = 4 },
		"it is down":                       func(h *sched.Host) { h.State = sched.Down },
		"it does not match disk":           func(h *sched.Host) { h.Labels = nil },
		"it has too few addresses in blue": func(h *sched.Host) { h.IPPools["blue"] = 0 },
		"group db is in the same host":     func(h *sched.Host) { h.Groups = map[string]int{"db": 1} },
	} {
		h := sched.Host{ID: "h", Capacity: sched.Vector{sched.CPU: 9}, Labels: map[string]string{"disk": "ssd"}, IPPools: map[string]int64{"blue": 2}}
		change(&h)
		a := newAccount(sched.SnapshotOf(h), set)
		assert.Equal(t, want, a.refuses("h"))
		assert.NotEmpty(t, a.refuses("elsewhere"))
		a.take("h")
		assert.NotEmpty(t, a.refuses("h"), "a second copy has no room")
	}
}

func TestFleetsAreValidAndTheSameForTheSameSeed(t *testing.T) {
	for _, c := range []FleetConfig{{}, {Hosts: 30}, {Hosts: 200, Mixed: true, Seed: 4}} {
		one := Fleet(c)
		assert.Equal(t, one, Fleet(c))
		assert.Equal(t, c.Hosts, one.Len())
		for h := range one.All() {
			assert.NoError(t, h.Validate())
		}
	}
	assert.NotEqual(t, Fleet(FleetConfig{Hosts: 9, Mixed: true, Seed: 1}), Fleet(FleetConfig{Hosts: 9, Mixed: true, Seed: 2}))
}
