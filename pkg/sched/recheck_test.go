package sched_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

// twice plans the same batch on the same hosts two times and returns the last
// error.
func twice(t *testing.T, c sched.Config, between func()) error {
	t.Helper()
	l, _ := ledger(t, schedtest.Fleet(schedtest.FleetConfig{Hosts: 40}).List()...)
	s, b := sched.New(c), sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}}}
	_, err := s.Plan(context.Background(), l.Snapshot(), b)
	require.NoError(t, err)
	between()
	_, err = s.Plan(context.Background(), l.Snapshot(), b)
	return err
}

func TestCheckingFindsAPluginThatLied(t *testing.T) {
	mood := 0.0
	lyingScorer := declared{plugin{score: func() float64 { return mood }}}
	lyingFilter := declared{plugin{filter: func() sched.Reason {
		if mood > 0 {
			return "is out of favour"
		}
		return ""
	}}}
	for name, c := range map[string]sched.Config{
		"scorer mine": {Scorers: []sched.Scorer{sched.PackScorer{}, lyingScorer}},
		"filter mine": {Filters: append(sched.DefaultFilters(), lyingFilter)},
	} {
		mood, c.Check = 0, 30
		assert.NoError(t, twice(t, c, func() {}))
		err := twice(t, c, func() { mood = 1 })
		var plugin *sched.PluginError
		require.True(t, errors.As(err, &plugin), "%v", err)
		assert.Equal(t, name, plugin.Plugin)
		assert.Equal(t, sched.Lied, plugin.Fault)
		assert.Contains(t, err.Error(), "declares OnHost, but its answer about host ")
		assert.ErrorIs(t, err, sched.ErrPlugin)
		mood, c.Check = 0, 0
		assert.NoError(t, twice(t, c, func() { mood = 1 }), "nobody looks")
	}
}

func TestCheckingFindsNoFaultWithTheBuiltInPlugins(t *testing.T) {
	l, _ := ledger(t, schedtest.Fleet(schedtest.FleetConfig{Hosts: 60, Mixed: true, Racks: 6}).List()...)
	s := sched.New(sched.Config{Check: 60})
	for k := range 40 {
		set := sched.Set{ID: fmt.Sprint(k), Group: fmt.Sprint(k % 3), Need: sched.Vector{sched.CPU: int64(1 + k%4)}, Spread: []sched.Spread{{By: "rack"}}}
		p, err := s.Plan(context.Background(), l.Snapshot(), sched.Batch{Set: set, N: 3})
		require.NoError(t, err)
		if k%2 == 0 {
			continue // nothing changed, though a batch was tried
		}
		_, err = l.Commit(context.Background(), p, sched.Mode{})
		require.NoError(t, err)
	}
}

func TestAPluginThatHangsEndsThePlan(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	hang := plugin{score: func() float64 { <-stuck; return 0 }}
	l, _ := ledger(t, host("a", "", 10))
	s := sched.New(sched.Config{Budget: 50 * time.Millisecond, Scorers: []sched.Scorer{hang}})
	b := sched.Batch{Set: sched.Set{ID: "s"}}
	for range 2 {
		p, err := s.Plan(context.Background(), l.Snapshot(), b)
		assert.EqualError(t, err, "plan s: scorer mine did not end within 50ms: plug-in failed")
		var fault *sched.PluginError
		require.True(t, errors.As(err, &fault))
		assert.Equal(t, sched.Hung, fault.Fault)
		assert.Empty(t, p.Claims)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, cancel)
	_, err := sched.New(sched.Config{Budget: time.Hour, Scorers: []sched.Scorer{hang}}).Plan(ctx, l.Snapshot(), b)
	assert.ErrorIs(t, err, context.Canceled, "whoever gives up need not wait for the plug-in")
}
