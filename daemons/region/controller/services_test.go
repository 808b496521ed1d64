package controller_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

func TestScalingGoesOnAfterARestartOfTheRegion(t *testing.T) {
	for name, replicas := range map[string]int{"out": 6, "in": 1} {
		t.Run(name, func(t *testing.T) {
			r := newRegion(t, nil)
			f, _ := r.fakes(t, "host-1", 10)
			services := func() set.ServiceController { return r.mine().(set.ServiceController) }
			task, err := services().CreateService(t.Context(), set.ServiceRequest{Name: "web", Spec: request("web").Spec, Replicas: 3})
			done(t, r.mine(), task, err)

			calls := func() int { return f.Calls("Engine.Prepare") + f.Calls("Engine.Remove") }
			before := calls()
			prepare, remove := f.Block("Engine.Prepare"), f.Block("Engine.Remove")
			task, err = services().ScaleService(t.Context(), "web", set.Scale{Replicas: replicas})
			require.NoError(t, err)
			eventually(t, "the host is at it", func() bool { return calls() > before })
			r.reopen(t, nil)
			prepare()
			remove()
			done(t, r.mine(), task, nil)
			svc, err := services().GetService(t.Context(), "web")
			require.NoError(t, err)
			assert.Equal(t, replicas, svc.Running)
			assert.Equal(t, replicas, svc.Servers)
			r.ledgerHolds(t, replicas)
		})
	}
}
