package sched_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

// declared is a plug-in that says its answers follow from the host.
type declared struct{ plugin }

func (declared) Depends(*sched.Request) sched.Dependency { return sched.OnHost }

// oddUse reads the host as it is with the copies of the batch on it.
type oddUse struct{ declared }

func (oddUse) Filter(q *sched.Request, h sched.HostView) sched.Reason {
	if h.Free(sched.CPU)%5 == 3 && q.Set.Need[sched.CPU] > 0 {
		return "has an odd use"
	}
	return ""
}

func (oddUse) Score(q *sched.Request, h sched.HostView) float64 {
	return float64(h.Free(sched.Memory)%4) / 10 * float64(1+h.Sets(q.Set.Group))
}

func indexPolicies() map[string]sched.Config {
	return map[string]sched.Config{
		"built-in": {},
		"sharded":  {Shard: sched.Shard{Index: 1, Of: 2}},
		"even":     {Scorers: []sched.Scorer{sched.EvenScorer{}, sched.Weighted{Scorer: sched.SpreadScorer{}, Weight: 3}}},
		"pack": {Scorers: []sched.Scorer{sched.PreferScorer{}, sched.Weighted{Scorer: sched.ScarcityScorer{}, Weight: 2}, sched.PackScorer{},
			sched.SpreadScorer{}, sched.LocalityScorer{}, sched.Weighted{Scorer: sched.AffinityScorer{}, Weight: 3}}},
		"no scores":   {Scorers: []sched.Scorer{}},
		"few filters": {Filters: []sched.Filter{sched.StateFilter{}, sched.SpreadFilter{}}},
		"declared plug-ins": {
			Filters: append([]sched.Filter{oddUse{}}, sched.DefaultFilters()...),
			Scorers: append([]sched.Scorer{oddUse{}}, sched.DefaultScorers()...),
		},
		"undeclared plug-ins": {
			Filters: append([]sched.Filter{lowMemory{}}, sched.DefaultFilters()...),
			Scorers: append([]sched.Scorer{sched.Weighted{Scorer: fickle{}, Weight: 0.7}}, sched.DefaultScorers()...),
			Shard:   sched.Shard{Index: 0, Of: 2},
		},
		"undeclared plug-ins and no others": {Filters: []sched.Filter{lowMemory{}}, Scorers: []sched.Scorer{fickle{}}},
		"prefilter":                         {Filters: append(sched.DefaultFilters(), someHosts{})},
		"prefilter that is declared":        {Filters: append([]sched.Filter{someHostsOnHost{}}, sched.DefaultFilters()...)},
	}
}

// fickle is oddUse without the promise.
type fickle struct{}

func (fickle) Name() string { return "fickle" }

func (fickle) Score(q *sched.Request, h sched.HostView) float64 { return oddUse{}.Score(q, h) }

// someHosts has nothing to say of sets of group db, and leaves others two hosts.
type someHosts struct{ lowMemory }

func (someHosts) Prefilter(q *sched.Request) (sched.Scope, error) {
	if q.Set.Group == "db" {
		return sched.Scope{Skip: true}, nil
	}
	return sched.Scope{Hosts: []string{"h3", "h1", "elsewhere"}}, nil
}

type someHostsOnHost struct{ someHosts }

func (someHostsOnHost) Depends(*sched.Request) sched.Dependency { return sched.OnHost }

type lowMemory struct{}

func (lowMemory) Name() string { return "low-memory" }

func (lowMemory) Filter(_ *sched.Request, h sched.HostView) sched.Reason {
	if h.Free(sched.Memory) == 2 {
		return "has two bytes"
	}
	return ""
}

// TestTheIndexPlansAsTheScanDoes follows a ledger through commits, releases and
// changes of hosts with one scheduler that keeps its index.
func TestTheIndexPlansAsTheScanDoes(t *testing.T) {
	for name, c := range indexPolicies() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c.Seed = schedtest.Seeds().Draw(t, "seed")
				scan := c
				scan.Exhaustive = true
				w := &world{ledger: sched.NewLedger(sched.LedgerConfig{}), index: sched.New(c), scan: sched.New(scan)}
				w.grow(t)
				for k := range rapid.IntRange(1, 12).Draw(t, "steps") {
					w.step(t, k)
				}
			})
		})
	}
}

type world struct {
	ledger      *sched.Ledger
	index, scan *sched.Scheduler
	known       []sched.Batch
}

func (w *world) grow(t *rapid.T) {
	for _, h := range schedtest.Snapshots().Draw(t, "fleet").List() {
		require.NoError(t, w.ledger.Put(h))
	}
}

func (w *world) step(t *rapid.T, k int) {
	b := schedtest.Batches().Draw(t, "batch")
	if len(w.known) > 0 && rapid.Bool().Draw(t, "again") {
		b = rapid.SampledFrom(w.known).Draw(t, "which")
	}
	for k := range b.Set.Spread {
		b.Set.Spread[k].Hard = rapid.Bool().Draw(t, "hard")
		b.Set.Spread[k].MaxSkew = rapid.IntRange(0, 2).Draw(t, "skew")
	}
	b.Set.Affinity = rapid.SliceOfN(rapid.Custom(drawAffinity), 0, 2).Draw(t, "affinity")
	if b.Validate() != nil {
		b.Set.Affinity = nil // it contradicts the anti-affinity
	}
	w.known = append(w.known, b)
	plan := w.compare(t, b)
	w.change(t, k, plan)
}

func drawAffinity(t *rapid.T) sched.Affinity {
	return sched.Affinity{
		Group:  rapid.SampledFrom([]string{"", "web", "db"}).Draw(t, "group"),
		By:     rapid.SampledFrom([]string{"", "rack", "rack", "zone", "disk"}).Draw(t, "by"),
		Hard:   rapid.Bool().Draw(t, "hard"),
		Weight: rapid.SampledFrom([]float64{0, 1, -2, 0.5}).Draw(t, "weight"),
	}
}

// compare plans with both.
func (w *world) compare(t *rapid.T, b sched.Batch) sched.Plan {
	ctx, snap := context.Background(), w.ledger.Snapshot()
	one, err1 := w.index.Plan(ctx, snap, b)
	two, err2 := w.scan.Plan(ctx, snap, b)
	require.Equal(t, two, one)
	require.Equal(t, fmt.Sprint(err2), fmt.Sprint(err1))
	if err1 != nil {
		require.True(t, errors.Is(err1, sched.ErrNoFit), "%v", err1)
	}
	return one
}

func (w *world) change(t *rapid.T, k int, plan sched.Plan) {
	id := fmt.Sprintf("h%d", rapid.IntRange(0, 7).Draw(t, "host"))
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		_ = w.ledger.SetState(id, sched.State(rapid.IntRange(0, 2).Draw(t, "state"))) // may be unknown
	case 1:
		w.ledger.Remove(id)
	case 2:
		w.grow(t)
	case 3:
		if claims := w.ledger.Claims(); len(claims) > 0 {
			w.ledger.Release(rapid.SampledFrom(claims).Draw(t, "claim").SetID)
		}
	case 4: // nothing: the next plan is on the same hosts
	default:
		for i := range plan.Claims {
			plan.Claims[i].SetID += fmt.Sprintf("-%d", k)
		}
		_, _ = w.ledger.Commit(context.Background(), plan, sched.Mode{}) // a policy without anti-affinity has conflicts
	}
}
