package sched_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func ledger(t *testing.T, hosts ...sched.Host) (*sched.Ledger, *clock) {
	t.Helper()
	c := &clock{time.Unix(1000, 0)}
	l := sched.NewLedger(sched.LedgerConfig{Now: c.Now})
	for _, h := range hosts {
		require.NoError(t, l.Put(h))
	}
	return l, c
}

func claim(set, host string, cpu int64) sched.Claim {
	return sched.Claim{SetID: set, HostID: host, Group: "web", Take: sched.Vector{sched.CPU: cpu}, Networks: []string{"blue"}}
}

func commit(l *sched.Ledger, m sched.Mode, claims ...sched.Claim) (sched.Result, error) {
	return l.Commit(context.Background(), sched.Plan{Claims: claims}, m)
}

func TestCommitTakesOnceAndReleaseGivesBack(t *testing.T) {
	h := host("a", "", 10)
	h.IPPools = map[string]int64{"blue": 5}
	l, _ := ledger(t, h)
	before := l.Snapshot()
	for range 3 {
		res, err := commit(l, sched.Mode{}, claim("s", "a", 4))
		require.NoError(t, err)
		assert.Len(t, res.Accepted, 1)
	}
	got := l.Snapshot().List()[0]
	assert.Equal(t, int64(4), got.Used[sched.CPU])
	assert.Equal(t, map[string]int64{"blue": 4}, got.IPPools)
	assert.Equal(t, map[string]int{"web": 1}, got.Groups)
	assert.Greater(t, got.Version, before.List()[0].Version)
	assert.Len(t, l.Claims(), 1)

	l.Release("s", "s", "never heard of")
	after := l.Snapshot().List()[0]
	assert.Greater(t, after.Version, got.Version)
	after.Version = before.List()[0].Version
	assert.Equal(t, before.List()[0], after)
	assert.Empty(t, l.Claims())
}

func TestASnapshotStaysAsItWas(t *testing.T) {
	h := host("a", "", 10)
	h.IPPools, h.Groups = map[string]int64{"blue": 5}, map[string]int{"web": 1}
	l, _ := ledger(t, h)
	before := l.Snapshot()
	text := fmt.Sprint(before.List())
	_, err := commit(l, sched.Mode{}, claim("s", "a", 4))
	require.NoError(t, err)
	l.Release("s")
	h.Groups["web"] = 99
	assert.Equal(t, text, fmt.Sprint(before.List()))
	assert.Equal(t, 1, l.Snapshot().List()[0].Groups["web"])
}

func TestCommitRefusesWhatNoLongerFits(t *testing.T) {
	cordoned, busy, dry := host("c", "", 10), host("b", "", 10), host("d", "", 10)
	cordoned.State = sched.Cordoned
	busy.Groups = map[string]int{"db": 1}
	dry.IPPools = map[string]int64{"blue": 0}
	avoid := claim("s", "b", 1)
	avoid.Avoid = []string{"db"}
	stale := claim("s", "a", 1)
	for want, c := range map[string]struct {
		claim sched.Claim
		mode  sched.Mode
	}{
		"lacks cpu":                           {claim("s", "a", 8), sched.Mode{}},
		"is not known any more":               {claim("s", "gone", 1), sched.Mode{Force: true}},
		"is cordoned":                         {claim("s", "c", 1), sched.Mode{}},
		"has a set of group db":               {avoid, sched.Mode{}},
		"has no free address in network blue": {claim("s", "d", 1), sched.Mode{}},
		"has changed since the plan":          {stale, sched.Mode{SameVersion: true}},
		"is not where set first already is, or gives it something else": {claim("first", "b", 3), sched.Mode{}},
	} {
		l, _ := ledger(t, host("a", "", 10), busy, cordoned, dry)
		_, err := commit(l, sched.Mode{}, claim("first", "a", 3))
		require.NoError(t, err)
		before := l.Snapshot()
		res, err := commit(l, c.mode, c.claim)
		require.ErrorIs(t, err, sched.ErrConflict, want)
		assert.Contains(t, err.Error(), "host "+c.claim.HostID+" "+want)
		assert.Equal(t, []sched.Conflict{{Claim: c.claim, Reason: sched.Reason(want)}}, res.Conflicts)
		assert.Equal(t, before, l.Snapshot())
	}
}

func TestCommitKeepsTheOthersUnlessAllOrNothing(t *testing.T) {
	claims := []sched.Claim{claim("x", "a", 6), claim("y", "a", 6), claim("z", "a", 4)}
	l, _ := ledger(t, host("a", "", 10))
	res, err := commit(l, sched.Mode{}, claims...)
	assert.EqualError(t, err, "commit y: host a lacks cpu (1 of 3 claims refused); plan again: conflict")
	assert.Equal(t, []sched.Claim{claims[0], claims[2]}, res.Accepted)
	assert.Equal(t, int64(10), l.Snapshot().List()[0].Used[sched.CPU])

	l, _ = ledger(t, host("a", "", 10))
	res, err = commit(l, sched.Mode{AllOrNothing: true}, claims...)
	assert.ErrorIs(t, err, sched.ErrConflict)
	assert.Empty(t, res.Accepted)
	assert.Empty(t, l.Claims())
	assert.Equal(t, int64(0), l.Snapshot().List()[0].Used[sched.CPU])
}

func TestReservationsLapseUnlessCommittedForGood(t *testing.T) {
	l, c := ledger(t, host("a", "", 10))
	_, err := commit(l, sched.Mode{TTL: time.Minute}, claim("lapses", "a", 4), claim("stays", "a", 5), claim("longer", "a", 1))
	require.NoError(t, err)
	_, err = commit(l, sched.Mode{}, claim("stays", "a", 5))
	require.NoError(t, err)
	_, err = commit(l, sched.Mode{TTL: time.Second}, claim("stays", "a", 5), claim("lapses", "a", 4))
	require.NoError(t, err, "a shorter time takes nothing away")
	_, err = commit(l, sched.Mode{TTL: time.Hour}, claim("longer", "a", 1))
	require.NoError(t, err)
	c.now = c.now.Add(time.Minute - 1)
	assert.Equal(t, int64(10), l.Snapshot().List()[0].Used[sched.CPU])
	c.now = c.now.Add(1)
	assert.Equal(t, int64(6), l.Snapshot().List()[0].Used[sched.CPU])
	c.now = c.now.Add(time.Hour)
	assert.Equal(t, int64(5), l.Snapshot().List()[0].Used[sched.CPU])
}

func TestForceRebuildsALedgerThatIsOverFull(t *testing.T) {
	l, _ := ledger(t, host("a", "", 10))
	_, err := commit(l, sched.Mode{Force: true}, claim("x", "a", math.MaxInt64), claim("y", "a", 20))
	require.NoError(t, err)
	l.Release("x")
	assert.Equal(t, int64(20), l.Snapshot().List()[0].Used[sched.CPU])
}

func TestPutKeepsTheClaimsAndRemoveForgetsThem(t *testing.T) {
	l, _ := ledger(t, host("b", "", 10), host("a", "", 10))
	_, err := commit(l, sched.Mode{}, claim("s", "a", 4))
	require.NoError(t, err)
	bigger := host("a", "", 20)
	bigger.Used[sched.CPU] = 1
	require.NoError(t, l.Put(bigger))
	got := l.Snapshot().List()
	require.Equal(t, []string{"a", "b"}, []string{got[0].ID, got[1].ID})
	assert.Equal(t, int64(5), got[0].Used[sched.CPU])
	require.NoError(t, l.SetState("a", sched.Down))
	assert.Equal(t, sched.Down, l.Snapshot().List()[0].State)
	l.Remove("a")
	l.Remove("a")
	assert.Len(t, l.Snapshot().List(), 1)
	assert.Empty(t, l.Claims())
	l.Release("s")
}

func TestLedgerRefusesBadInput(t *testing.T) {
	l, _ := ledger(t, host("a", "", 10))
	assert.ErrorIs(t, l.Put(sched.Host{}), sched.ErrInvalid)
	assert.ErrorIs(t, l.SetState("nobody", sched.Ready), sched.ErrNotFound)
	assert.ErrorIs(t, l.SetState("a", 9), sched.ErrInvalid)
	for _, c := range []sched.Claim{claim("", "a", 1), claim("s", "", 1), claim("s", "a", -1)} {
		_, err := commit(l, sched.Mode{}, claim("fine", "a", 1), c)
		assert.ErrorIs(t, err, sched.ErrInvalid)
	}
	_, err := commit(l, sched.Mode{TTL: -1})
	assert.ErrorIs(t, err, sched.ErrInvalid)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = l.Commit(ctx, sched.Plan{Claims: []sched.Claim{claim("s", "a", 1)}}, sched.Mode{})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, l.Claims())
}

func TestSchedulersOnOneLedgerNeverOvercommit(t *testing.T) {
	l, _ := ledger(t, host("a", "", 40), host("b", "", 40), host("c", "", 40))
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			s := sched.New(sched.Config{Seed: uint64(w)})
			for k := range 10 {
				set := sched.Set{ID: fmt.Sprintf("s%d-%d", w, k), Need: sched.Vector{sched.CPU: 2}}
				for {
					p, err := s.Plan(context.Background(), l.Snapshot(), sched.Batch{Set: set})
					if !assert.NoError(t, err) {
						return
					}
					if _, err = l.Commit(context.Background(), p, sched.Mode{}); err == nil {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	assert.Len(t, l.Claims(), 60)
	for _, h := range l.Snapshot().List() {
		assert.Equal(t, int64(40), h.Used[sched.CPU], h.ID)
	}
}

func TestALedgerKeepsWhatItWasGivenWhateverBecomesOfIt(t *testing.T) {
	h := host("a", "", 10)
	h.Labels, h.Groups = map[string]string{"disk": "ssd"}, map[string]int{"db": 1}
	h.IPPools, h.Layers = map[string]int64{"blue": 5, "red": 5}, map[string]bool{"layer": true}
	l, _ := ledger(t, h)
	c := claim("s", "a", 4)
	c.Avoid = []string{"other"}
	_, err := commit(l, sched.Mode{}, c)
	require.NoError(t, err)
	before, claims := fmt.Sprintf("%#v", l.Snapshot().List()), fmt.Sprintf("%#v", l.Claims())
	c.Networks[0], c.Avoid[0] = "red", "db"
	h.Labels["disk"], h.Groups["db"], h.IPPools["blue"], h.Layers["another"] = "hdd", 7, 0, true
	assert.Equal(t, before, fmt.Sprintf("%#v", l.Snapshot().List()))
	assert.Equal(t, claims, fmt.Sprintf("%#v", l.Claims()))
	require.NoError(t, l.SetState("a", sched.Cordoned)) // makes the live host anew
	l.Release("s")
	got := l.Snapshot().List()[0]
	assert.Equal(t, map[string]int64{"blue": 5, "red": 5}, got.IPPools)
	assert.Equal(t, map[string]bool{"layer": true}, got.Layers)
}
