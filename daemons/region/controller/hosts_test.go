package controller_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestSilentHostMakesItsServersUnknownUntilItReports(t *testing.T) {
	r := newRegion(t, func(c *controller.Config) { c.HostTimeout = time.Second })
	r.fakes(t, "host-1", 10)
	task, err := r.mine().Create(t.Context(), request("web"))
	done(t, r.mine(), task, err)
	status := func() set.State {
		s, err := r.mine().Get(t.Context(), "web")
		require.NoError(t, err)
		return s.Status()
	}
	eventually(t, "unknown", func() bool { return status() == set.StateUnknown })
	eventually(t, "not ready", func() bool { return !r.Hosts()[0].Ready })
	_, err = r.mine().Create(t.Context(), request("web-2"))
	require.ErrorIs(t, err, set.ErrNoCapacity)
	assert.Contains(t, err.Error(), "1 is not ready: has not reported for 1s")

	r.report(t)
	assert.Equal(t, set.StateRunning, status())
	assert.True(t, r.Hosts()[0].Ready)
	task, err = r.mine().Create(t.Context(), request("web-2"))
	done(t, r.mine(), task, err)
}

func TestHeartbeatIsChecked(t *testing.T) {
	r := newRegion(t, nil)
	good := r.host(t, "host-1", 10, &agent{Agent: settest.NewManager(t, settest.NewFakes())})
	for name, change := range map[string]func(*controller.HostReport){
		"no name":             func(h *controller.HostReport) { h.Name = "" },
		"a slash in the name": func(h *controller.HostReport) { h.Name = "a/b" },
		"no URL":              func(h *controller.HostReport) { h.URL = "" },
		"negative capacity":   func(h *controller.HostReport) { h.Capacity.CPU = -1 },
		"an address that cannot be dialled": func(h *controller.HostReport) {
			h.Name = "host-9"
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := good
			change(&h)
			assert.ErrorIs(t, r.Heartbeat(t.Context(), h), set.ErrInvalid)
		})
	}
	require.Len(t, r.Hosts(), 1)
	require.NoError(t, r.Close()) // before its host
}

func TestServerTheRegionDoesNotKnowIsRemovedFromItsHost(t *testing.T) {
	r := newRegion(t, nil)
	_, m, a := r.scripted(t, "host-1", 10)
	_, err := m.Apply(t.Context(), settest.Assignment("stray"))
	require.NoError(t, err)
	eventually(t, "removal", func() bool { return len(a.removals()) > 0 })
	assert.Equal(t, set.Removal{ServerID: "stray", Epoch: 1}, a.removals()[0])
	settest.AwaitState(t, m, "stray", 0, set.StateDeleted)
}

func TestServerThatMovedOnIsRemovedFromItsOldHost(t *testing.T) {
	r := newRegion(t, nil)
	_, _, first := r.scripted(t, "host-1", 1)
	first.script(func(context.Context, set.Agent, set.Assignment) (set.Observation, error) {
		return set.Observation{}, set.ErrInvalid
	}, nil)
	task, err := r.mine().Create(t.Context(), request("web"))
	require.NoError(t, err)
	require.Equal(t, set.TaskFailed, end(t, r.mine(), task.ID).State)
	_, err = r.Cordon(t.Context(), "host-1", true)
	require.NoError(t, err)
	r.fakes(t, "host-2", 1)
	task, err = r.mine().Act(t.Context(), "web", set.Action{Verb: set.VerbStart})
	done(t, r.mine(), task, err)
	s, err := r.mine().Get(t.Context(), "web")
	require.NoError(t, err)
	require.Equal(t, "host-2", s.Host)
	require.EqualValues(t, 2, s.Epoch)

	before := len(first.removals())
	late := settest.Assignment(s.ID) // what a host that was cut off still runs
	_, err = first.Agent.Apply(t.Context(), late)
	require.NoError(t, err)
	eventually(t, "removal", func() bool { return len(first.removals()) > before })
	settest.AwaitState(t, first.Agent, s.ID, 0, set.StateDeleted)
	s, err = r.mine().Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.StateRunning, s.Status(), "the old host's word does not count")
	r.ledgerHolds(t, 1)
}

func TestRemovalIsSentUntilTheHostHeard(t *testing.T) {
	r := newRegion(t, nil)
	_, m, a := r.scripted(t, "host-1", 10)
	a.script(nil, func(ctx context.Context, next set.Agent, q set.Removal) (set.Observation, error) {
		if len(a.removals()) < 3 {
			return set.Observation{}, set.ErrUnavailable
		}
		return next.Remove(ctx, q)
	})
	_, err := m.Apply(t.Context(), settest.Assignment("stray"))
	require.NoError(t, err)
	settest.AwaitState(t, m, "stray", 0, set.StateDeleted)
}
