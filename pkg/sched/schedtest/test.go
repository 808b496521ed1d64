package schedtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/sched"
)

// Planner is what Test tries: anything that plans.
type Planner interface {
	Plan(ctx context.Context, snap sched.Snapshot, b sched.Batch) (sched.Plan, error)
}

// Test runs all properties on schedulers made by newScheduler. A scheduler
// without randomness may ignore the seed.
func Test(t *testing.T, newScheduler func(seed uint64) Planner) {
	t.Run("keeps every rule and answers for every copy", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { checkPlan(t, newScheduler(Seeds().Draw(t, "seed"))) })
	})
	t.Run("changes nothing it is handed", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { checkUntouched(t, newScheduler(1)) })
	})
	t.Run("plans the same for the same seed in any order of hosts", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { checkSame(t, newScheduler) })
	})
	t.Run("plans at the same time from several goroutines", func(t *testing.T) {
		checkConcurrent(t, newScheduler(1))
	})
	t.Run("refuses bad input as ErrInvalid", func(t *testing.T) { checkInvalid(t, newScheduler(1)) })
	t.Run("stops with its context", func(t *testing.T) { checkContext(t, newScheduler(1)) })
}

func checkPlan(t *rapid.T, s Planner) {
	snap, b := Snapshots().Draw(t, "snapshot"), Batches().Draw(t, "batch")
	n, least := max(1, b.N), b.Min
	if least == 0 {
		least = n
	}
	plan, err := s.Plan(context.Background(), snap, b)
	if err != nil {
		checkNoFit(t, snap, b, plan, err, least)
		return
	}
	require.Equal(t, n, len(plan.Claims)+plan.Unplaced, "each copy is claimed or unplaced")
	require.GreaterOrEqual(t, len(plan.Claims), least, "fewer than Min is an error")
	require.Equal(t, snap.Number, plan.Snapshot)
	a := newAccount(snap, b.Set)
	for k, c := range plan.Claims {
		require.Equal(t, b.Copies()[k], c.SetID)
		require.Empty(t, a.refuses(c.HostID), "copy %d cannot go to %s", k, c.HostID)
		require.Equal(t, b.Set.Need, c.Take, "a set is never split")
		require.Equal(t, b.Set.Networks, c.Networks)
		require.Equal(t, a.hosts[c.HostID].Version, c.HostVersion)
		a.take(c.HostID)
	}
	if plan.Unplaced > 0 {
		for id := range a.hosts {
			require.NotEmpty(t, a.refuses(id), "%d copies are unplaced, but %s has room", plan.Unplaced, id)
		}
		checkWhy(t, snap, plan.Why)
	}
}

func checkNoFit(t *rapid.T, snap sched.Snapshot, b sched.Batch, plan sched.Plan, err error, least int) {
	require.ErrorIs(t, err, sched.ErrNoFit)
	require.Empty(t, plan.Claims, "a failed plan claims nothing")
	var no *sched.NoFitError
	require.True(t, errors.As(err, &no), "%v carries no explanation", err)
	require.Less(t, no.Placed, least)
	checkWhy(t, snap, no.Why)
	if no.Placed > 0 {
		return
	}
	a := newAccount(snap, b.Set)
	for id := range a.hosts {
		require.NotEmpty(t, a.refuses(id), "nothing fits, it says, but %s has room", id)
	}
}

func checkWhy(t *rapid.T, snap sched.Snapshot, why sched.Explanation) {
	require.Equal(t, snap.Len(), why.Hosts)
	sum := why.Fit
	for _, c := range why.ByFilter {
		sum += c.Hosts
	}
	require.Equal(t, why.Hosts, sum, "each host is counted once: %s", why)
}

func checkUntouched(t *rapid.T, s Planner) {
	snap, b := Snapshots().Draw(t, "snapshot"), Batches().Draw(t, "batch")
	before, set := hosts(snap), fmt.Sprintf("%#v", b)
	_, err := s.Plan(context.Background(), snap, b)
	if err != nil {
		require.ErrorIs(t, err, sched.ErrNoFit)
	}
	require.Equal(t, before, hosts(snap))
	require.Equal(t, set, fmt.Sprintf("%#v", b))
}

func checkSame(t *rapid.T, newScheduler func(uint64) Planner) {
	snap, b := Snapshots().Draw(t, "snapshot"), Batches().Draw(t, "batch")
	seed := Seeds().Draw(t, "seed")
	other := sched.SnapshotOf(rapid.Permutation(snap.List()).Draw(t, "other order")...)
	other.Number = snap.Number
	one, err1 := newScheduler(seed).Plan(context.Background(), snap, b)
	two, err2 := newScheduler(seed).Plan(context.Background(), other, b)
	require.Equal(t, one, two)
	require.Equal(t, fmt.Sprint(err1), fmt.Sprint(err2))
}

func checkConcurrent(t *testing.T, s Planner) {
	snap := Fleet(FleetConfig{Hosts: 50, Mixed: true})
	b := sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}}, N: 20}
	want, err := s.Plan(context.Background(), snap, b)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := s.Plan(context.Background(), snap, b)
			assert.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	wg.Wait()
}

func checkInvalid(t *testing.T, s Planner) {
	host := sched.Host{ID: "h", Capacity: sched.Vector{sched.CPU: 10}}
	bad := host
	bad.Used[sched.CPU] = -1
	ok := sched.Batch{Set: sched.Set{ID: "s"}}
	for name, c := range map[string]struct {
		hosts []sched.Host
		batch sched.Batch
	}{
		"a host twice":      {[]sched.Host{host, host}, ok},
		"negative use":      {[]sched.Host{bad}, ok},
		"no set id":         {[]sched.Host{host}, sched.Batch{}},
		"a negative need":   {[]sched.Host{host}, sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{-1}}}},
		"a negative number": {[]sched.Host{host}, sched.Batch{Set: sched.Set{ID: "s"}, N: -1}},
	} {
		plan, err := s.Plan(context.Background(), sched.SnapshotOf(c.hosts...), c.batch)
		assert.ErrorIs(t, err, sched.ErrInvalid, name)
		assert.Empty(t, plan.Claims, name)
	}
}

func checkContext(t *testing.T, s Planner) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	plan, err := s.Plan(ctx, Fleet(FleetConfig{Hosts: 3}), sched.Batch{Set: sched.Set{ID: "s"}})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, plan.Claims)
}

// hosts are copies that share nothing with the snapshot.
func hosts(s sched.Snapshot) []sched.Host {
	hosts := s.List()
	for i := range hosts {
		h := &hosts[i]
		h.Labels, h.Groups, h.IPPools = maps.Clone(h.Labels), maps.Clone(h.Groups), maps.Clone(h.IPPools)
	}
	return hosts
}
