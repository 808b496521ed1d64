package sched_test

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

// town is a ledger with sets on it, for tests of what is proposed about them.
type town struct {
	ledger *sched.Ledger
	sets   map[string]sched.Set // by id
}

func drawTown(t *rapid.T) *town {
	w := &town{sched.NewLedger(sched.LedgerConfig{}), make(map[string]sched.Set)}
	for _, h := range drawHosts(t) {
		require.NoError(t, w.ledger.Put(h))
	}
	for k := range rapid.IntRange(2, 9).Draw(t, "batches") {
		b := drawRuled(t)
		b.N, b.Min, b.IDs, b.Set.ID = 3, 1, nil, fmt.Sprintf("set-%d", k)
		b.Set.Priority = int32(rapid.IntRange(0, 3).Draw(t, "priority"))
		plan, err := sched.New(sched.Config{}).Plan(context.Background(), w.ledger.Snapshot(), b)
		if errors.Is(err, sched.ErrNoFit) {
			continue
		}
		require.NoError(t, err)
		res, err := w.ledger.Commit(context.Background(), plan, sched.Mode{})
		require.NoError(t, err)
		for _, c := range res.Accepted {
			set := b.Set
			set.ID = c.SetID
			w.sets[c.SetID] = set
		}
	}
	return w
}

// drawHosts draws few hosts with room for sets that fill them.
func drawHosts(t *rapid.T) []sched.Host {
	hosts := schedtest.Snapshots().Draw(t, "fleet").List()
	hosts = hosts[:min(len(hosts), 4)]
	for i := range hosts {
		h := &hosts[i]
		h.Used, h.Groups = sched.Vector{}, nil
		for _, r := range []sched.Resource{sched.CPU, sched.Memory, sched.Custom0} {
			h.Capacity[r] += 6
		}
		if h.IPPools != nil {
			h.IPPools["red"] = h.IPPools["blue"] + 1
		}
	}
	return hosts
}

// drawRuled draws a batch with hard spreads and affinities as well.
func drawRuled(t *rapid.T) sched.Batch {
	b := schedtest.Batches().Draw(t, "batch")
	for k := range b.Set.Spread {
		b.Set.Spread[k].Hard = rapid.Bool().Draw(t, "hard")
	}
	b.Set.Affinity = rapid.SliceOfN(rapid.Custom(drawAffinity), 0, 2).Draw(t, "affinity")
	if b.Validate() != nil {
		b.Set.Affinity = nil // it contradicts the anti-affinity
	}
	return b
}

// running is all that is on the ledger.
func (w *town) running() []sched.Running {
	var list []sched.Running
	for _, c := range w.ledger.Claims() {
		list = append(list, sched.Running{Claim: c, Priority: w.sets[c.SetID].Priority})
	}
	return list
}

// on is the sets of a host.
func (w *town) on(host string) []sched.Set {
	var list []sched.Set
	for _, c := range w.ledger.Claims() {
		if c.HostID == host {
			list = append(list, w.sets[c.SetID])
		}
	}
	return list
}

// only leaves one host in question.
type only struct{ host string }

func (only) Name() string                                       { return "only" }
func (only) Filter(*sched.Request, sched.HostView) sched.Reason { return "" }
func (o only) Prefilter(*sched.Request) (sched.Scope, error) {
	return sched.Scope{Hosts: []string{o.host}}, nil
}
func (only) Depends(*sched.Request) sched.Dependency { return sched.OnHost }
func at(host string) *sched.Scheduler {
	return sched.New(sched.Config{Filters: append(sched.DefaultFilters(), only{host})})
}

// fits reports whether the set fits on the host once the victims are gone.
func (w *town) fits(t *rapid.T, set sched.Set, host string, victims ...string) bool {
	var gone []sched.Claim
	for _, c := range w.ledger.Claims() {
		if slices.Contains(victims, c.SetID) {
			gone = append(gone, c)
		}
	}
	w.ledger.Release(victims...)
	_, err := at(host).Plan(context.Background(), w.ledger.Snapshot(), sched.Batch{Set: set})
	_, back := w.ledger.Commit(context.Background(), sched.Plan{Claims: gone}, sched.Mode{Force: true})
	require.NoError(t, back)
	if !errors.Is(err, sched.ErrNoFit) {
		require.NoError(t, err)
	}
	return err == nil
}

// anyHelp reports whether stopping any of the sets of a host below a priority helps, by trying every choice of them.
func (w *town) anyHelp(t *rapid.T, set sched.Set, host string, below int32) bool {
	var lower []string
	for _, s := range w.on(host) {
		if s.Priority < below {
			lower = append(lower, s.ID)
		}
	}
	for choice := range uint(1) << min(len(lower), 6) {
		victims := make([]string, 0, bits.OnesCount(choice))
		for k := range lower {
			if choice>>k&1 == 1 {
				victims = append(victims, lower[k])
			}
		}
		if w.fits(t, set, host, victims...) {
			return true
		}
	}
	return false
}
