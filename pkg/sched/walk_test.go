package sched_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

// walk is a long life of one index on a fleet that has room for rules to matter: more sets than an index keeps
// classes for, and hosts that fill up, empty, change and leave.
type walk struct {
	*rand.Rand
	ledger      *sched.Ledger
	index, scan *sched.Scheduler
	sets        []sched.Set
	claims      []string
}

func newWalk(t *testing.T, seed uint64, c sched.Config) *walk {
	scan := c
	scan.Exhaustive = true
	w := &walk{Rand: rand.New(rand.NewPCG(seed, 7)), ledger: sched.NewLedger(sched.LedgerConfig{}), index: sched.New(c), scan: sched.New(scan)}
	for i := range 72 {
		require.NoError(t, w.ledger.Put(w.host(i)))
	}
	for k := range 700 {
		w.sets = append(w.sets, w.set(k))
	}
	return w
}

func (w *walk) host(i int) sched.Host {
	h := sched.Host{ID: fmt.Sprintf("h%02d", i), Rack: fmt.Sprintf("r%d", i%9), Zone: fmt.Sprintf("z%d", i%3),
		Labels:   map[string]string{"disk": []string{"ssd", "hdd"}[w.IntN(2)]},
		Capacity: sched.Vector{sched.CPU: 16, sched.Memory: 32}, Layers: map[string]bool{fmt.Sprint(w.IntN(4)): true}}
	if w.IntN(8) == 0 {
		h.Capacity[sched.Custom0] = 2
	}
	if w.IntN(3) == 0 {
		h.IPPools = map[string]int64{"blue": 6}
	}
	return h
}

// set is one of few needs, so that most sets differ in their rules alone.
func (w *walk) set(k int) sched.Set {
	s := sched.Set{ID: fmt.Sprint("set-", k), Group: fmt.Sprint("g", w.IntN(12)), Need: sched.Vector{sched.CPU: int64(1 + w.IntN(2)), sched.Memory: 2}}
	chance := func(n int) bool { return w.IntN(n) == 0 }
	by := func() string { return []string{"rack", "zone", "host", "disk"}[w.IntN(4)] }
	if chance(8) {
		s.Need[sched.Custom0] = 1
	}
	if chance(3) {
		s.Networks = []string{"blue"}
	}
	if chance(3) {
		s.Require = []sched.Selector{{Key: "disk", Values: []string{"ssd"}, Not: chance(2)}}
	}
	if chance(3) {
		s.Prefer = []sched.Preference{{Selector: sched.Selector{Key: "zone", Values: []string{fmt.Sprint("z", w.IntN(3))}}, Weight: float64(w.IntN(3))}}
	}
	if chance(2) {
		s.Spread = []sched.Spread{{By: by(), Hard: chance(2), MaxSkew: w.IntN(3)}}
	}
	if chance(3) {
		s.AntiAffinity = []sched.AntiAffinity{{Group: fmt.Sprint("g", w.IntN(12)), By: by()}}
	}
	if chance(2) {
		s.Affinity = []sched.Affinity{{Group: []string{"", "g1", "g2"}[w.IntN(3)], By: by(), Hard: chance(3), Weight: float64(w.IntN(5) - 2)}}
	}
	if chance(3) {
		s.Layers = []sched.Layer{{ID: fmt.Sprint(w.IntN(4)), Size: int64(1 + w.IntN(9))}}
	}
	if (&sched.Batch{Set: s}).Validate() != nil {
		s.Affinity = nil // it contradicts the anti-affinity
	}
	return s
}

func (w *walk) step(t *testing.T, k int) {
	b := sched.Batch{Set: w.sets[w.IntN(len(w.sets))], N: 1 + w.IntN(6), Min: 1}
	b.Set.ID = fmt.Sprintf("%s-%d", b.Set.ID, k)
	snap := w.ledger.Snapshot()
	one, err1 := w.index.Plan(context.Background(), snap, b)
	two, err2 := w.scan.Plan(context.Background(), snap, b)
	require.Equal(t, two, one, "step %d", k)
	require.Equal(t, fmt.Sprint(err2), fmt.Sprint(err1))
	if err1 != nil {
		require.ErrorIs(t, err1, sched.ErrNoFit)
	}
	res, err := w.ledger.Commit(context.Background(), one, sched.Mode{})
	require.True(t, err == nil || errors.Is(err, sched.ErrConflict), "%v", err)
	for _, c := range res.Accepted {
		w.claims = append(w.claims, c.SetID)
	}
	w.change(t)
}

func (w *walk) change(t *testing.T) {
	id := w.IntN(72)
	switch w.IntN(12) {
	case 0:
		rack := id % 9
		state := sched.State(w.IntN(3))
		for i := rack; i < 72; i += 9 {
			_ = w.ledger.SetState(fmt.Sprintf("h%02d", i), state) // may have left
		}
	case 1:
		if w.IntN(60) > 0 {
			return // seldom: an index starts anew when hosts come or go
		}
		w.ledger.Remove(fmt.Sprintf("h%02d", id))
	case 2, 3:
		require.NoError(t, w.ledger.Put(w.host(id)))
	}
	for len(w.claims) > 400 {
		k := w.IntN(len(w.claims))
		w.ledger.Release(w.claims[k])
		w.claims[k] = w.claims[len(w.claims)-1]
		w.claims = w.claims[:len(w.claims)-1]
	}
}

func TestTheIndexPlansAsTheScanDoesForALongTime(t *testing.T) {
	for name, c := range indexPolicies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWalk(t, 1, c)
			for k := range 1200 {
				w.step(t, k)
			}
		})
	}
}

func TestASchedulerFarBehindTheChangesStartsAnew(t *testing.T) {
	l, _ := ledger(t, host("a", "", 9), host("b", "", 9))
	s, rare := sched.New(sched.Config{}), sched.Batch{Set: sched.Set{ID: "rare", Need: sched.Vector{sched.CPU: 9}}}
	often := sched.Batch{Set: sched.Set{ID: "often", Need: sched.Vector{sched.CPU: 1}}}
	p, err := s.Plan(context.Background(), l.Snapshot(), rare)
	require.NoError(t, err)
	assert.Equal(t, "a", p.Claims[0].HostID)
	for range 3000 { // more than any log keeps
		_, err := s.Plan(context.Background(), l.Snapshot(), often)
		require.NoError(t, err)
		_, err = commit(l, sched.Mode{Force: true}, claim("x", "a", 1))
		require.NoError(t, err)
		l.Release("x")
	}
	_, err = commit(l, sched.Mode{}, claim("x", "a", 1))
	require.NoError(t, err)
	p, err = s.Plan(context.Background(), l.Snapshot(), rare)
	require.NoError(t, err)
	assert.Equal(t, "b", p.Claims[0].HostID)
}

func TestAPlanThatIsBrokenOffLeavesNothingHalfKnown(t *testing.T) {
	l, _ := ledger(t)
	for i := range 3000 {
		require.NoError(t, l.Put(host(fmt.Sprintf("h%04d", i), "", int64(4000-i))))
	}
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	stopper := dependent{plugin{score: func() float64 {
		if calls++; calls == 500 {
			cancel()
		}
		return 0
	}}, sched.OnHost}
	s := sched.New(sched.Config{Scorers: []sched.Scorer{sched.PackScorer{}, stopper}, Budget: -1})
	b := sched.Batch{Set: sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 10}}}
	_, err := s.Plan(ctx, l.Snapshot(), b)
	require.ErrorIs(t, err, context.Canceled)
	p, err := s.Plan(context.Background(), l.Snapshot(), b)
	require.NoError(t, err)
	assert.Equal(t, "h2999", p.Claims[0].HostID, "the smallest host")
}

func TestARackThatIsCordonedNoLongerHoldsTheSpreadBack(t *testing.T) {
	l, _ := ledger(t, host("a", "r1", 9), host("b", "r1", 9), host("c", "r2", 9), host("d", "r2", 9))
	s := sched.New(sched.Config{})
	set := sched.Set{ID: "s", Group: "web", Need: sched.Vector{sched.CPU: 1}, Spread: []sched.Spread{{By: "rack", Hard: true}}}
	p, err := s.Plan(context.Background(), l.Snapshot(), sched.Batch{Set: set, N: 2})
	require.NoError(t, err)
	_, err = l.Commit(context.Background(), p, sched.Mode{})
	require.NoError(t, err)
	require.NoError(t, l.SetState("c", sched.Cordoned))
	require.NoError(t, l.SetState("d", sched.Cordoned))
	set.ID = "t"
	p, err = s.Plan(context.Background(), l.Snapshot(), sched.Batch{Set: set, N: 5})
	require.NoError(t, err)
	assert.Len(t, p.Claims, 5)
}
