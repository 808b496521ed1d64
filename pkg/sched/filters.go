package sched

// DefaultFilters are the filters of a Config that names none, in order.
func DefaultFilters() []Filter {
	return []Filter{StateFilter{}, LabelFilter{}, AntiAffinityFilter{}, AffinityFilter{}, AddressFilter{}, ResourceFilter{}, SpreadFilter{}}
}

// StateFilter refuses hosts that are not Ready.
type StateFilter struct{}

// Name is "state".
func (StateFilter) Name() string { return "state" }

// Filter implements Filter.
func (StateFilter) Filter(_ *Request, h HostView) Reason {
	switch h.State() {
	case Ready:
		return ""
	case Cordoned:
		return "is cordoned"
	}
	return "is down"
}

// LabelFilter refuses hosts that do not meet every Set.Require.
type LabelFilter struct{}

// Name is "labels".
func (LabelFilter) Name() string { return "labels" }

// Filter implements Filter.
func (LabelFilter) Filter(q *Request, h HostView) Reason {
	for k := range q.Set.Require {
		if !h.Matches(q.Set.Require[k]) {
			return q.r.words.require[k]
		}
	}
	return ""
}

// AddressFilter refuses hosts without a free address in each of Set.Networks.
// A Scheduler applies it even when its Config does not name it.
type AddressFilter struct{}

// Name is "addresses".
func (AddressFilter) Name() string { return "addresses" }

// Filter implements Filter.
func (AddressFilter) Filter(q *Request, h HostView) Reason {
	pools := h.r.f.hosts[h.i].IPPools
	if pools == nil {
		return ""
	}
	for k, nw := range q.r.networks {
		pool, reached := pools[nw.name]
		if !reached {
			return q.r.words.unreached[k]
		}
		if pool-int64(h.r.f.placed[h.i])*nw.n < nw.n {
			return q.r.words.noAddress[k]
		}
	}
	return ""
}

// ResourceFilter refuses hosts with too little free of what Set.Need asks.
// A Scheduler applies it even when its Config does not name it: no policy can
// overcommit a host.
type ResourceFilter struct{}

// Name is "resources".
func (ResourceFilter) Name() string { return "resources" }

// Filter implements Filter.
func (ResourceFilter) Filter(q *Request, h HostView) Reason {
	if r := q.Set.Need.short(&h.r.f.free[h.i]); r >= 0 {
		return q.r.words.lacks[r]
	}
	return ""
}

// AntiAffinityFilter refuses hosts (or racks, or zones) where a group of
// Set.AntiAffinity is.
type AntiAffinityFilter struct{}

// Name is "anti-affinity".
func (AntiAffinityFilter) Name() string { return "anti-affinity" }

// Filter implements Filter.
func (AntiAffinityFilter) Filter(q *Request, h HostView) Reason {
	for k := range q.r.apart {
		if t := &q.r.apart[k]; t.of[h.i] >= 0 && t.count[t.of[h.i]] > 0 {
			return q.r.words.apart[k]
		}
	}
	return ""
}

// Depends is OnGroup when a rule reaches over more than one host.
func (AntiAffinityFilter) Depends(q *Request) Dependency {
	for _, t := range q.r.apart {
		if t.own && t.by != "host" {
			return OnGroup
		}
	}
	return OnHost
}

// SpreadFilter refuses hosts where a copy would break a hard Set.Spread.
type SpreadFilter struct{}

// Name is "spread".
func (SpreadFilter) Name() string { return "spread" }

// Filter implements Filter.
func (SpreadFilter) Filter(q *Request, h HostView) Reason {
	for k, s := range q.Set.Spread {
		if !s.Hard {
			continue
		}
		t := &q.r.spread[k]
		d := t.of[h.i]
		if d < 0 {
			return q.r.words.noDomain[k]
		}
		if t.count[d]+1-t.least > max(1, s.MaxSkew) {
			return q.r.words.skew[k]
		}
	}
	return ""
}

// Depends is OnGroup when the set has a hard spread.
func (SpreadFilter) Depends(q *Request) Dependency {
	for _, s := range q.Set.Spread {
		if s.Hard {
			return OnGroup
		}
	}
	return OnHost
}
