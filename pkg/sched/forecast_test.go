package sched_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

func TestAForecastIsWhatAPlanPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		set, limit := drawRuled(t).Set, rapid.IntRange(1, 12).Draw(t, "limit")
		c := sched.Config{Seed: schedtest.Seeds().Draw(t, "seed"), Exhaustive: rapid.Bool().Draw(t, "exhaustive")}
		snap := w.ledger.Snapshot()
		f, err := sched.New(c).Forecast(context.Background(), snap, set, limit)
		require.NoError(t, err)
		plan, err := sched.New(c).Plan(context.Background(), snap, sched.Batch{Set: set, N: limit + 1, Min: 1})
		var no *sched.NoFitError
		if errors.As(err, &no) {
			plan.Why = no.Why
		} else {
			require.NoError(t, err)
		}
		hosts := make(map[string]bool)
		for _, c := range plan.Claims[:min(limit, len(plan.Claims))] {
			hosts[c.HostID] = true
		}
		require.Equal(t, min(limit, len(plan.Claims)), f.Fit)
		require.Equal(t, len(plan.Claims) > limit, f.Limited)
		require.Len(t, hosts, f.Hosts)
		require.Equal(t, plan.Why, f.Why)
	})
}

func TestAForecastThatFindsNoRoomSaysWhy(t *testing.T) {
	f, err := sched.New(sched.Config{}).Forecast(context.Background(), sched.SnapshotOf(busy("a", 8)),
		sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}}, 0)
	require.NoError(t, err)
	assert.Zero(t, f.Fit)
	assert.False(t, f.Limited)
	assert.Equal(t, "0 of 1 host fits: 1 lacks cpu (0.001 cores needed, at most 0 cores free)", f.Why.String())
}

func TestAForecastRefusesBadInput(t *testing.T) {
	s, snap := sched.New(sched.Config{}), sched.SnapshotOf(busy("a", 8))
	_, err := s.Forecast(context.Background(), snap, sched.Set{ID: "s"}, -1)
	assert.EqualError(t, err, "forecast s: the limit is -1 copies; give one from 0 to 10000000: invalid")
	_, err = s.Forecast(context.Background(), snap, sched.Set{ID: "s"}, 10_000_001)
	assert.ErrorIs(t, err, sched.ErrInvalid)
	_, err = s.Forecast(context.Background(), snap, sched.Set{}, 5)
	assert.ErrorIs(t, err, sched.ErrInvalid)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Forecast(ctx, snap, sched.Set{ID: "s"}, 5)
	assert.ErrorIs(t, err, context.Canceled)
}
