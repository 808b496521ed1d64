package sched

import (
	"fmt"
	"math"
)

// policy is the plug-ins of a Scheduler, looked at once.
type policy struct {
	foreignFilters, foreignScorers []bool // not of this package
	filters                        []Filter
	scorers                        []Scorer
	filterNames                    []string
	scorerNames                    []string
	groups                         bool   // a plug-in not of this package is asked: it may read the group
	grouped                        []bool // by filter: it counts groups
	spreads                        []bool // by scorer: it counts groups
	err                            error  // what New found; Plan reports it
}

// isGroupScorer and isGroupFilter tell the built-in plug-ins that read counts of
// groups: the index has ways of its own to follow those.
func isGroupScorer(s Scorer) bool {
	switch inner(s).(type) {
	case SpreadScorer, AffinityScorer:
		return true
	}
	return false
}

func isGroupFilter(f Filter) bool {
	switch f.(type) {
	case SpreadFilter, AntiAffinityFilter, AffinityFilter:
		return true
	}
	return false
}

// inner is the scorer without its weights, or nil.
func inner(s Scorer) Scorer {
	for {
		w, ok := s.(Weighted)
		if !ok {
			return s
		}
		s = w.Scorer
	}
}

// newPolicy asks the plug-ins for their names.
func newPolicy(filters []Filter, scorers []Scorer) (p policy) {
	p = policy{filters: filters, scorers: scorers}
	calling := ""
	defer func() {
		if what := recover(); what != nil {
			p.err = panicked(calling, what)
		}
	}()
	for k, f := range filters {
		calling = fmt.Sprintf("filter %d", k)
		if f == nil {
			p.err = &PluginError{Plugin: calling, Problem: "is nil"}
			return p
		}
		p.filterNames = append(p.filterNames, f.Name())
		p.grouped = append(p.grouped, isGroupFilter(f))
		p.foreignFilters = append(p.foreignFilters, !builtIn(f))
		p.groups = p.groups || !builtIn(f)
	}
	for k, s := range scorers {
		calling = fmt.Sprintf("scorer %d", k)
		if inner(s) == nil {
			p.err = &PluginError{Plugin: calling, Problem: "is nil"}
			return p
		}
		if w := weight(s); !(math.Abs(w) <= maxWeight) {
			p.err = &PluginError{Plugin: calling, Problem: fmt.Sprintf("has the weight %v; give one from -1e9 to 1e9", w)}
			return p
		}
		p.scorerNames = append(p.scorerNames, s.Name())
		p.spreads = append(p.spreads, isGroupScorer(s))
		p.foreignScorers = append(p.foreignScorers, !builtIn(inner(s)))
		p.groups = p.groups || !builtIn(inner(s))
	}
	return p
}

const maxWeight = 1e9

func weight(s Scorer) float64 {
	w := 1.0
	for {
		x, ok := s.(Weighted)
		if !ok {
			return w
		}
		w, s = w*x.Weight, x.Scorer
	}
}

// builtIn reports whether the plug-in is one of this package's, whose answers
// never follow from the id or the group of a set, or are isGroup ones.
func builtIn(plugin any) bool {
	switch plugin.(type) {
	case StateFilter, LabelFilter, AntiAffinityFilter, AffinityFilter, AddressFilter, ResourceFilter, SpreadFilter,
		PackScorer, EvenScorer, PreferScorer, SpreadScorer, AffinityScorer, ScarcityScorer, ThriftScorer, LocalityScorer:
		return true
	}
	return false
}

// cachable reports whether every answer may be kept until its host changes.
func (p *policy) cachable(r *run) bool {
	ok := true
	for k, f := range p.filters {
		r.enter(int32(k + 1))
		ok = ok && (isGroupFilter(f) || declares(f, &r.req))
	}
	for k, s := range p.scorers {
		r.enter(-int32(k + 1))
		ok = ok && (isGroupScorer(s) || declares(inner(s), &r.req))
	}
	r.calling = 0
	return ok
}

// declares reports whether a plug-in says that it depends on the host only.
func declares(plugin any, q *Request) bool {
	if builtIn(plugin) {
		return true
	}
	d, ok := plugin.(Dependent)
	return ok && d.Depends(q) == OnHost
}

// enter notes which plug-in is called next: filter k as k+1, scorer k as -k-1.
func (r *run) enter(plugin int32) {
	r.calling = plugin
	if r.s.groups && r.s.foreign(plugin) {
		r.last.Store(plugin)
	}
}

func (p *policy) foreign(plugin int32) bool {
	if plugin > 0 {
		return p.foreignFilters[plugin-1]
	}
	return p.foreignScorers[-plugin-1]
}

// name is that of a plug-in in errors.
func (p *policy) name(plugin int32) string {
	if plugin > 0 {
		return "filter " + p.filterNames[plugin-1]
	}
	return "scorer " + p.scorerNames[-plugin-1]
}
