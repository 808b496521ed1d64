package sched_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

func TestVictimsMakeRoomAndNoneCouldStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTown(t)
		set := drawRuled(t).Set
		set.ID, set.Priority = "urgent", rapid.SampledFrom([]int32{0, 2, 4, 4, 4}).Draw(t, "its priority")
		set.Need[sched.CPU] += 4 // or nearly all fit beside the others
		snap, running := w.ledger.Snapshot(), w.running()
		before, given := fmt.Sprintf("%#v", snap.List()), fmt.Sprintf("%#v", running)
		s := sched.New(sched.Config{Seed: schedtest.Seeds().Draw(t, "seed")})
		p, err := s.Victims(context.Background(), snap, set, running)
		again, errAgain := s.Victims(context.Background(), snap, set, running)
		require.Equal(t, p, again)
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(errAgain))
		require.Equal(t, before, fmt.Sprintf("%#v", snap.List()), "the fleet is as it was")
		require.Equal(t, given, fmt.Sprintf("%#v", running))
		if err != nil {
			require.ErrorIs(t, err, sched.ErrNoFit)
			for h := range snap.All() {
				require.False(t, w.anyHelp(t, set, h.ID, set.Priority), "on %s stopping sets would help", h.ID)
			}
			return
		}
		require.Equal(t, snap.Number, p.Snapshot)
		w.checkProposal(t, set, p)
	})
}

func (w *town) checkProposal(t *rapid.T, set sched.Set, p sched.Proposal) {
	require.True(t, w.fits(t, set, p.HostID, p.Victims...), "with the victims gone it fits")
	highest := int32(math.MinInt32)
	for k, id := range p.Victims {
		highest = max(highest, w.sets[id].Priority)
		require.Less(t, w.sets[id].Priority, set.Priority)
		others := slices.Concat(p.Victims[:k], p.Victims[k+1:])
		require.False(t, w.fits(t, set, p.HostID, others...), "%s need not be stopped", id)
	}
	for h := range w.ledger.Snapshot().All() {
		require.False(t, len(p.Victims) > 0 && w.anyHelp(t, set, h.ID, highest), "on %s less dear ones would do", h.ID)
	}
	if len(p.Victims) == 0 {
		_, err := sched.New(sched.Config{}).Plan(context.Background(), w.ledger.Snapshot(), sched.Batch{Set: set})
		require.NoError(t, err)
	}
}

// running is a set of so many cores.
func running(id, host string, cores int64, priority int32) sched.Running {
	return sched.Running{Claim: sched.Claim{SetID: id, HostID: host, Take: sched.Vector{sched.CPU: cores}}, Priority: priority}
}

func busy(id string, cores int64) sched.Host {
	h := host(id, "", cores)
	h.Used[sched.CPU] = cores
	return h
}

func TestTheCheapestVictimsAreProposed(t *testing.T) {
	urgent := sched.Set{ID: "urgent", Need: sched.Vector{sched.CPU: 4}, Priority: 10}
	for name, c := range map[string]struct {
		running []sched.Running
		want    sched.Proposal
	}{
		"the lowest priority, though they are more": {
			[]sched.Running{running("a1", "a", 8, 5), running("b1", "b", 2, 1), running("b2", "b", 2, 1), running("b3", "b", 4, 9)},
			sched.Proposal{HostID: "b", Victims: []string{"b1", "b2"}},
		},
		"the fewest": {
			[]sched.Running{running("a1", "a", 2, 1), running("a2", "a", 2, -9), running("a3", "a", 4, 10), running("b1", "b", 8, 1)},
			sched.Proposal{HostID: "b", Victims: []string{"b1"}},
		},
		"the dear are spared first": {
			[]sched.Running{running("a1", "a", 4, 3), running("a2", "a", 4, 2), running("b1", "b", 8, 9)},
			sched.Proposal{HostID: "a", Victims: []string{"a2"}},
		},
		"the large one, to spare the small": {
			[]sched.Running{running("a0", "a", 4, 1), running("a1", "a", 2, 1), running("a2", "a", 2, 1), running("b1", "b", 8, 9)},
			sched.Proposal{HostID: "a", Victims: []string{"a0"}},
		},
		"the lowest sum": {
			[]sched.Running{running("a1", "a", 2, 3), running("a2", "a", 2, 3), running("b1", "b", 2, 3), running("b2", "b", 2, 1)},
			sched.Proposal{HostID: "b", Victims: []string{"b1", "b2"}},
		},
	} {
		p, err := sched.New(sched.Config{}).Victims(context.Background(), sched.SnapshotOf(busy("a", 8), busy("b", 8)), urgent, c.running)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, p, name)
	}
}

func TestEqualPrioritiesAreNeverVictims(t *testing.T) {
	set := sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}, Priority: 3}
	_, err := sched.New(sched.Config{}).Victims(context.Background(), sched.SnapshotOf(busy("a", 8)), set,
		[]sched.Running{running("same", "a", 4, 3), running("higher", "a", 4, 4)})
	var no *sched.NoFitError
	require.True(t, errors.As(err, &no), "%v", err)
	assert.EqualError(t, err, "find victims for s: 0 of 1 host fits: 1 lacks cpu (0.001 cores needed, at most 0 cores free)")
}

func TestVictimsRefusesWhatCannotBe(t *testing.T) {
	set := sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}, Priority: 3}
	for want, list := range map[string][]sched.Running{
		"find victims for s: set x is named twice: invalid":                                                          {running("x", "a", 1, 0), running("x", "a", 1, 0)},
		"find victims for s: set x is said to be on host z, which the snapshot does not have: invalid":               {running("x", "z", 1, 0)},
		"find victims for s: set y and those named before it take 9 cpu of host a, where only 8 are in use: invalid": {running("x", "a", 5, 0), running("y", "a", 4, 0)},
	} {
		_, err := sched.New(sched.Config{}).Victims(context.Background(), sched.SnapshotOf(busy("a", 8)), set, list)
		assert.ErrorIs(t, err, sched.ErrInvalid)
		assert.EqualError(t, err, want)
	}
	_, err := sched.New(sched.Config{}).Victims(context.Background(), sched.SnapshotOf(busy("a", 8)), set, []sched.Running{running("x", "a", -1, 0)})
	assert.ErrorIs(t, err, sched.ErrInvalid)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = sched.New(sched.Config{}).Victims(ctx, sched.SnapshotOf(busy("a", 8)), set, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAPluginThatPanicsOverVictimsIsNamed(t *testing.T) {
	calls := 0
	f := plugin{filter: func() sched.Reason {
		if calls++; calls > 1 {
			panic("boom")
		}
		return ""
	}}
	set := sched.Set{ID: "s", Need: sched.Vector{sched.CPU: 1}, Priority: 3}
	s := sched.New(sched.Config{Filters: []sched.Filter{sched.ResourceFilter{}, dependent{f, sched.Always}}})
	calls = 1
	_, err := s.Victims(context.Background(), sched.SnapshotOf(busy("a", 8)), set, []sched.Running{running("x", "a", 4, 0)})
	assert.EqualError(t, err, "find victims for s: filter mine panicked: boom: plug-in failed")
}

func BenchmarkVictims(b *testing.B) {
	const hosts, each = 10_000, 20
	list, sets := make([]sched.Host, hosts), make([]sched.Running, 0, hosts*each)
	for i := range list {
		list[i] = busy(fmt.Sprintf("h%05d", i), 40)
		for k := range each {
			sets = append(sets, running(fmt.Sprintf("s%d-%d", i, k), list[i].ID, 2, int32((i+k)%7)))
		}
	}
	s, snap := sched.New(sched.Config{}), sched.SnapshotOf(list...)
	urgent := sched.Set{ID: "urgent", Need: sched.Vector{sched.CPU: 5}, Priority: 5}
	for b.Loop() {
		if _, err := s.Victims(context.Background(), snap, urgent, sets); err != nil {
			b.Fatal(err)
		}
	}
}
