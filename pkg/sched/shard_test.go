package sched_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

// TestShardedSchedulersSeldomConflict is the worst case: all plan on the same
// snapshot, and commit only then, until the fleet is nearly full.
func TestShardedSchedulersSeldomConflict(t *testing.T) {
	for _, of := range []int{2, 4, 8} {
		for _, racks := range []int{1, 40} {
			t.Run(fmt.Sprintf("%d schedulers, %d racks", of, racks), func(t *testing.T) {
				lost, claims := race(t, of, racks)
				assert.Less(t, float64(lost), 0.02*float64(claims), "%d of %d claims lost", lost, claims)
				assert.Greater(t, claims, 1000)
			})
		}
	}
}

func race(t *testing.T, of, racks int) (lost, claims int) {
	l, _ := ledger(t, schedtest.Fleet(schedtest.FleetConfig{Hosts: 400, Racks: racks}).List()...)
	schedulers := make([]*sched.Scheduler, of)
	for k := range schedulers {
		schedulers[k] = sched.New(sched.Config{Shard: sched.Shard{Index: k, Of: of}})
	}
	need := sched.Vector{sched.CPU: 4000, sched.Memory: 16 << 30}
	for round := 0; claims < 400*8*9/10; round++ {
		snap, plans := l.Snapshot(), make([]sched.Plan, of)
		for k, s := range schedulers {
			set := sched.Set{ID: fmt.Sprintf("%d-%d", round, k), Need: need}
			var err error
			plans[k], err = s.Plan(context.Background(), snap, sched.Batch{Set: set, N: 20, Min: 1})
			require.NoError(t, err)
		}
		for _, p := range plans {
			res, err := l.Commit(context.Background(), p, sched.Mode{})
			require.True(t, err == nil || errors.Is(err, sched.ErrConflict), "%v", err)
			lost += len(res.Conflicts)
			claims += len(p.Claims)
		}
	}
	return lost, claims
}

func TestAShardIsLeftWhenItIsFull(t *testing.T) {
	hosts := []sched.Host{host("a", "r1", 1), host("b", "r2", 1), host("c", "r3", 1), host("d", "r4", 1)}
	b := sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}}, N: 4}
	assert.Equal(t, []string{"b", "d", "a", "c"}, plan(t, sched.Config{Shard: sched.Shard{Index: 1, Of: 2}}, b, hosts...))
	for _, bad := range []sched.Shard{{Index: 2, Of: 2}, {Index: -1, Of: 2}, {Index: 1}, {Of: -1}} {
		_, err := sched.New(sched.Config{Shard: bad}).Plan(context.Background(), sched.SnapshotOf(hosts...), b)
		assert.ErrorIs(t, err, sched.ErrInvalid)
	}
}
