package sched

// AffinityFilter refuses hosts (or racks, or zones) where a group of a hard
// Set.Affinity is not.
type AffinityFilter struct{}

// Name is "affinity".
func (AffinityFilter) Name() string { return "affinity" }

// Filter implements Filter.
func (AffinityFilter) Filter(q *Request, h HostView) Reason {
	for k := range q.r.near {
		n := &q.r.near[k]
		if n.rule.Hard && n.refuses(n.of[h.i]) {
			return q.r.words.near[k]
		}
	}
	return ""
}

// Depends is OnGroup when the set has a hard affinity to its own group, which
// grows with each copy.
func (AffinityFilter) Depends(q *Request) Dependency {
	for k := range q.r.near {
		if n := &q.r.near[k]; n.rule.Hard && n.own {
			return OnGroup
		}
	}
	return OnHost
}

// AffinityScorer is the weighted share of the rules of Set.Affinity, hard ones
// aside, that the host meets: from -1, where everything is that the set wishes
// to be away from, to 1.
type AffinityScorer struct{}

// Name is "affinity".
func (AffinityScorer) Name() string { return "affinity" }

// Score implements Scorer.
func (AffinityScorer) Score(q *Request, h HostView) float64 {
	return affinityScore(q.r.near, func(t *tally) int32 { return t.of[h.i] })
}

// Depends is OnGroup when the set wishes to be near its own group, or away
// from it, on more than the host.
func (AffinityScorer) Depends(q *Request) Dependency {
	for k := range q.r.near {
		if n := &q.r.near[k]; !n.rule.Hard && n.own && n.by != "host" {
			return OnGroup
		}
	}
	return OnHost
}

// nearRule is one rule of Set.Affinity and the counts it looks at.
type nearRule struct {
	tally
	rule Affinity
	all  int // sets of the group with the label, anywhere
}

func (r *run) nearRules() []nearRule {
	var rules []nearRule
	for _, a := range r.req.Set.Affinity {
		if a.Group == "" {
			a.Group = r.req.Set.Group
		}
		if a.By == "" {
			a.By = "host"
		}
		n := nearRule{tally: newTally(r, a.Group, a.By, nil), rule: a}
		for _, count := range n.count {
			n.all += count
		}
		rules = append(rules, n)
	}
	return rules
}

// add counts one more copy, and reports whether that was the first.
func (n *nearRule) add(i int) bool {
	if !n.own || n.of[i] < 0 {
		return false
	}
	n.tally.add(i)
	n.all++
	return n.all == 1
}

// refuses reports whether a hard rule refuses hosts with a value.
func (n *nearRule) refuses(value int32) bool {
	if value < 0 {
		return true
	}
	return n.count[value] == 0 && (n.all > 0 || !n.own)
}

// affinityScore sums the rules that are not hard.
func affinityScore(rules []nearRule, value func(*tally) int32) float64 {
	met, all := 0.0, 0.0
	for k := range rules {
		n := &rules[k]
		if n.rule.Hard {
			continue
		}
		w := n.rule.Weight
		if w == 0 {
			w = 1
		}
		all += max(w, -w)
		if v := value(&n.tally); v >= 0 && n.count[v] > 0 {
			met += w
		}
	}
	if all == 0 {
		return 0
	}
	return met / all
}
