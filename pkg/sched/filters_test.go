package sched_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

func TestFiltersAnswerForOneHost(t *testing.T) {
	set := sched.Set{
		ID: "s", Group: "web", Need: sched.Vector{sched.CPU: 1000, sched.Memory: 2 << 30},
		Networks:     []string{"blue", "blue"},
		Require:      []sched.Selector{{Key: "disk", Values: []string{"ssd", "nvme"}}, {Key: "old", Not: true}},
		AntiAffinity: []sched.AntiAffinity{{}, {Group: "db"}},
	}
	good := func() sched.Host {
		return sched.Host{
			ID: "h", Labels: map[string]string{"disk": "nvme"}, IPPools: map[string]int64{"blue": 2},
			Capacity: sched.Vector{sched.CPU: 1000, sched.Memory: 2 << 30},
		}
	}
	for name, c := range map[string]struct {
		filter sched.Filter
		change func(h *sched.Host)
		want   sched.Reason
	}{
		"ready":                {sched.StateFilter{}, func(*sched.Host) {}, ""},
		"cordoned":             {sched.StateFilter{}, func(h *sched.Host) { h.State = sched.Cordoned }, "is cordoned"},
		"down":                 {sched.StateFilter{}, func(h *sched.Host) { h.State = sched.Down }, "is down"},
		"labels met":           {sched.LabelFilter{}, func(*sched.Host) {}, ""},
		"label of other value": {sched.LabelFilter{}, func(h *sched.Host) { h.Labels["disk"] = "hdd" }, "lacks label disk=ssd|nvme"},
		"label missing":        {sched.LabelFilter{}, func(h *sched.Host) { h.Labels = nil }, "lacks label disk=ssd|nvme"},
		"label not wanted":     {sched.LabelFilter{}, func(h *sched.Host) { h.Labels["old"] = "" }, "has label old"},
		"addresses left":       {sched.AddressFilter{}, func(*sched.Host) {}, ""},
		"addresses not bound":  {sched.AddressFilter{}, func(h *sched.Host) { h.IPPools = nil }, ""},
		"one address of two":   {sched.AddressFilter{}, func(h *sched.Host) { h.IPPools["blue"] = 1 }, "has no free address in network blue"},
		"network not there":    {sched.AddressFilter{}, func(h *sched.Host) { h.IPPools = map[string]int64{} }, "has no way to network blue"},
		"exactly enough":       {sched.ResourceFilter{}, func(*sched.Host) {}, ""},
		"one byte too little":  {sched.ResourceFilter{}, func(h *sched.Host) { h.Used[sched.Memory] = 1 }, "lacks memory"},
		"reserved is not free": {sched.ResourceFilter{}, func(h *sched.Host) { h.Reserved[sched.CPU] = 1 }, "lacks cpu"},
		"overcommit gives room": {sched.ResourceFilter{}, func(h *sched.Host) {
			h.Overcommit[sched.CPU], h.Used[sched.CPU] = 2, 1000
		}, ""},
		"undercommit takes room":                         {sched.ResourceFilter{}, func(h *sched.Host) { h.Overcommit[sched.CPU] = 0.5 }, "lacks cpu"},
		"more used than there is, of what is not needed": {sched.ResourceFilter{}, func(h *sched.Host) { h.Used[sched.Disk] = 5 }, ""},
		"no set of the groups":                           {sched.AntiAffinityFilter{}, func(h *sched.Host) { h.Groups = map[string]int{"other": 1} }, ""},
		"own group":                                      {sched.AntiAffinityFilter{}, func(h *sched.Host) { h.Groups = map[string]int{"web": 1} }, "has a set of group web"},
		"other group":                                    {sched.AntiAffinityFilter{}, func(h *sched.Host) { h.Groups = map[string]int{"db": 1} }, "has a set of group db"},
	} {
		t.Run(name, func(t *testing.T) {
			h := good()
			c.change(&h)
			q, views, err := sched.Views(set, h)
			require.NoError(t, err)
			assert.Equal(t, c.want, c.filter.Filter(q, views[0]))
		})
	}
}

func TestAntiAffinityReachesOverTheRack(t *testing.T) {
	set := sched.Set{ID: "s", AntiAffinity: []sched.AntiAffinity{{Group: "db", By: "rack"}}}
	q, views, err := sched.Views(set,
		sched.Host{ID: "a", Rack: "r1"},
		sched.Host{ID: "b", Rack: "r1", Groups: map[string]int{"db": 1}},
		sched.Host{ID: "c", Rack: "r2"},
		sched.Host{ID: "d"},
	)
	require.NoError(t, err)
	const no = sched.Reason("shares its rack with a set of group db")
	for i, want := range []sched.Reason{no, no, "", ""} {
		assert.Equal(t, want, sched.AntiAffinityFilter{}.Filter(q, views[i]), views[i].ID())
	}
}

func TestHardSpreadHoldsTheSkew(t *testing.T) {
	hosts := []sched.Host{
		{ID: "a", Rack: "r1", Groups: map[string]int{"web": 2}},
		{ID: "b", Rack: "r2", Groups: map[string]int{"web": 1}},
		{ID: "c", Rack: "r3", State: sched.Down},
		{ID: "d"},
	}
	for skew, want := range map[int][]sched.Reason{
		0: {"would unbalance the spread by rack", "", "", "has no label rack"},
		2: {"", "", "", "has no label rack"},
	} {
		set := sched.Set{ID: "s", Group: "web", Spread: []sched.Spread{{By: "rack", MaxSkew: skew, Hard: true}}}
		q, views, err := sched.Views(set, hosts...)
		require.NoError(t, err)
		// The empty rack r3 is down: it must not hold the others back.
		for i, reason := range want {
			assert.Equal(t, reason, sched.SpreadFilter{}.Filter(q, views[i]), "skew %d host %s", skew, views[i].ID())
		}
	}
}
