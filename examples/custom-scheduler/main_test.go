package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/sched"
)

func room(gib int64) sched.Vector { return sched.Vector{sched.CPU: 4000, sched.Memory: gib << 30} }

func TestEmptiestHostThatSuitsIsTaken(t *testing.T) {
	hosts := []sched.Host{
		{ID: "small", Capacity: room(4), Labels: map[string]string{"disk": "ssd"}},
		{ID: "large", Capacity: room(8), Used: sched.Vector{sched.CPU: 3000, sched.Memory: 3 << 30}},
		{ID: "cordoned", Capacity: room(64), State: sched.Cordoned},
		{ID: "not-ready", Capacity: room(64), Labels: map[string]string{controller.LabelNotReady: "Docker is down"}},
	}
	for name, c := range map[string]struct {
		set  sched.Set
		want string // "" is ErrNoFit
	}{
		"much processor":         {sched.Set{ID: "set-1", Need: room(1)}, "small"},
		"with an SSD":            {sched.Set{ID: "set-1", Require: []sched.Selector{{Key: "disk", Values: []string{"ssd"}}}}, "small"},
		"with a GPU":             {sched.Set{ID: "set-1", Require: []sched.Selector{{Key: "gpu"}}}, ""},
		"larger than every host": {sched.Set{ID: "set-1", Need: room(5)}, ""},
		"little processor":       {sched.Set{ID: "set-1", Need: sched.Vector{sched.CPU: 500, sched.Memory: 1 << 30}}, "large"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := emptiest{}.Plan(t.Context(), sched.SnapshotOf(hosts...), sched.Batch{Set: c.set})
			if c.want == "" {
				require.ErrorIs(t, err, sched.ErrNoFit)
				return
			}
			require.NoError(t, err)
			require.Len(t, plan.Claims, 1)
			assert.Equal(t, "set-1", plan.Claims[0].SetID)
			assert.Equal(t, c.want, plan.Claims[0].HostID)
		})
	}
}
