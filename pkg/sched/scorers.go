package sched

// DefaultScorers are the scorers of a Config that names none: wishes of the
// set first, then its spread and affinity, then what the host loses by it, then
// images that are there.
func DefaultScorers() []Scorer {
	return []Scorer{
		Weighted{PreferScorer{}, 8},
		Weighted{SpreadScorer{}, 4},
		Weighted{AffinityScorer{}, 4},
		ThriftScorer{},
		Weighted{LocalityScorer{}, 0.5},
	}
}

// PackScorer likes hosts that are full with the set on them, so that whole
// hosts stay empty. The score is the mean use of the resources the set needs.
type PackScorer struct{}

// Name is "pack".
func (PackScorer) Name() string { return "pack" }

// Score implements Scorer.
func (PackScorer) Score(q *Request, h HostView) float64 { return use(q, h) }

// EvenScorer likes hosts that are empty with the set on them: the opposite of
// PackScorer, to have all hosts share the load.
type EvenScorer struct{}

// Name is "even".
func (EvenScorer) Name() string { return "even" }

// Score implements Scorer.
func (EvenScorer) Score(q *Request, h HostView) float64 { return 1 - use(q, h) }

func use(q *Request, h HostView) float64 {
	sum, n := 0.0, 0
	alloc, free := &h.r.f.alloc[h.i], &h.r.f.free[h.i]
	for r, need := range q.Set.Need {
		if need > 0 && alloc[r] > 0 {
			sum += 1 - float64(free[r]-need)/float64(alloc[r])
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return min(1, max(0, sum/float64(n)))
}

// PreferScorer is the weighted share of Set.Prefer that the host meets.
type PreferScorer struct{}

// Name is "prefer".
func (PreferScorer) Name() string { return "prefer" }

// Score implements Scorer.
func (PreferScorer) Score(q *Request, h HostView) float64 {
	met, all := 0.0, 0.0
	for _, p := range q.Set.Prefer {
		w := p.Weight
		if w == 0 {
			w = 1
		}
		all += w
		if h.Matches(p.Selector) {
			met += w
		}
	}
	if all == 0 {
		return 0
	}
	return met / all
}

// SpreadScorer likes values of Set.Spread that have few sets of the group.
type SpreadScorer struct{}

// Name is "spread".
func (SpreadScorer) Name() string { return "spread" }

// Score implements Scorer.
func (SpreadScorer) Score(q *Request, h HostView) float64 {
	return spreadScore(q.r.spread, func(t *tally) int32 { return t.of[h.i] })
}

func spreadScore(rules []tally, value func(*tally) int32) float64 {
	sum := 0.0
	for k := range rules {
		if v := value(&rules[k]); v >= 0 {
			sum += 1 / float64(1+rules[k].count[v])
		}
	}
	return sum / float64(max(1, len(rules)))
}

// Depends is OnGroup when a spread reaches over more than one host.
func (SpreadScorer) Depends(q *Request) Dependency {
	for _, s := range q.Set.Spread {
		if s.By != "host" {
			return OnGroup
		}
	}
	return OnHost
}

// ScarcityScorer keeps plain sets off hosts that have free what few hosts
// offer and the set does not need, such as an accelerator. It is 1 where
// nothing scarce would be stranded.
type ScarcityScorer struct{}

// Name is "scarcity".
func (ScarcityScorer) Name() string { return "scarcity" }

// Score implements Scorer.
func (ScarcityScorer) Score(q *Request, h HostView) float64 {
	worst := 0.0
	alloc, free := &h.r.f.alloc[h.i], &h.r.f.free[h.i]
	for r, need := range q.Set.Need {
		if need == 0 && free[r] > 0 && q.r.f.share[r] < 1 {
			left := float64(free[r]) / float64(alloc[r])
			worst = max(worst, left*(1-q.r.f.share[r]))
		}
	}
	return 1 - worst
}
