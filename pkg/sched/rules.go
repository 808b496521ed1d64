package sched

type hardRule struct {
	tally
	skew int
}

// compile looks at the set's rules on groups.
func (x *index) compile() {
	set := &x.req.Set
	if len(set.Affinity) > 0 {
		x.near = x.nearRules()
	}
	for _, f := range x.s.filters {
		switch f.(type) {
		case AntiAffinityFilter:
			for _, a := range set.AntiAffinity {
				x.keepApart(a)
			}
		case AffinityFilter:
			x.keepClose()
		case SpreadFilter:
			x.keepLevel()
		}
	}
	for _, s := range x.s.scorers {
		switch inner(s).(type) {
		case SpreadScorer:
			x.spreadWishes()
		case AffinityScorer:
			x.nearWishes()
		}
	}
}

func (x *index) keepLevel() {
	for _, s := range x.req.Set.Spread {
		if s.Hard {
			t := newTally(x.run, x.req.Set.Group, s.By, x.c.values(x.run, s.By))
			x.hard = append(x.hard, hardRule{t, max(1, s.MaxSkew)})
			x.dense = x.dense || t.block == nil
		}
	}
}

// keepClose takes copies of the rules, to count on their own.
func (x *index) keepClose() {
	for k, n := range x.nearRules() {
		if n.rule.Hard {
			x.close = append(x.close, n)
			x.dense = x.dense || x.near[k].block == nil
		}
	}
}

func (x *index) spreadWishes() {
	if len(x.soft) > 0 {
		return // two scorers look at the same counts
	}
	for _, s := range x.req.Set.Spread {
		t := newTally(x.run, x.req.Set.Group, s.By, nil)
		x.soft = append(x.soft, t)
		x.dense = x.dense || t.block == nil
	}
	x.spread = x.soft
}

func (x *index) nearWishes() {
	for k := range x.near {
		if n := &x.near[k]; !n.rule.Hard {
			x.wish = true
			x.dense = x.dense || n.block == nil
		}
	}
}

func (x *index) keepApart(a AntiAffinity) {
	if a.By != "host" {
		t := newTally(x.run, a.Group, a.By, nil)
		x.apart = append(x.apart, t)
		x.dense = x.dense || t.block == nil
		return
	}
	for i := range x.f.groups[a.Group] {
		x.save(i, refused)
	}
	x.mask = append(x.mask, a.Group)
}

// weigh works out what the rules say of block b.
func (x *index) weigh(b int) {
	x.shut[b], x.extra[b] = x.closed(b, true), x.groupScore(b, true)
}

// value is the number of a tally's value at a host, or at a block.
func (t *tally) value(at int, block bool) int32 {
	if block {
		return t.block[at]
	}
	return t.of[at]
}

// closed reports whether a rule refuses the host or block.
func (x *index) closed(at int, block bool) bool {
	for k := range x.apart {
		if v := x.apart[k].value(at, block); v >= 0 && x.apart[k].count[v] > 0 {
			return true
		}
	}
	for k := range x.close {
		if n := &x.close[k]; n.refuses(n.value(at, block)) {
			return true
		}
	}
	for k := range x.hard {
		h := &x.hard[k]
		if v := h.value(at, block); v < 0 || h.count[v]+1-h.least > h.skew {
			return true
		}
	}
	return false
}

// groupScore is what the scorers by counts of groups give the host or block.
func (x *index) groupScore(at int, block bool) float64 {
	if len(x.soft) == 0 && !x.wish {
		return 0
	}
	all := 0.0
	for _, s := range x.s.scorers {
		switch inner(s).(type) {
		case SpreadScorer:
			all += weighted(s, spreadScore(x.soft, func(t *tally) int32 { return t.value(at, block) }))
		case AffinityScorer:
			all += weighted(s, affinityScore(x.near, func(t *tally) int32 { return t.value(at, block) }))
		}
	}
	return all
}

// weighted applies the weights of a scorer to what it gave.
func weighted(s Scorer, score float64) float64 {
	if w, ok := s.(Weighted); ok {
		return w.Weight * weighted(w.Scorer, score)
	}
	return score
}

// count has the rules see one more copy on host i.
func (x *index) count(i int) {
	all := false
	for k := range x.apart {
		x.apart[k].add(i)
	}
	for k := range x.hard {
		all = x.hard[k].add(i) || all
	}
	for k := range x.soft {
		x.soft[k].add(i)
	}
	for k := range x.close {
		all = x.close[k].add(i) || all
	}
	for k := range x.near {
		x.near[k].add(i)
	}
	if x.shut == nil {
		return
	}
	for b := range x.shut {
		if all || x.concerns(b, i) {
			x.weigh(b)
		}
	}
}

// concerns reports whether a copy on host i counts for block b.
func (x *index) concerns(b, i int) bool {
	for _, list := range [][]tally{x.apart, x.soft} {
		for k := range list {
			if list[k].block[b] == list[k].of[i] {
				return true
			}
		}
	}
	for k := range x.hard {
		if x.hard[k].block[b] == x.hard[k].of[i] {
			return true
		}
	}
	return len(x.close) > 0 || x.wish
}
