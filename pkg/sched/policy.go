package sched

import (
	"fmt"
	"math"
)

// policy is the plug-ins of a Scheduler, looked at once.
type policy struct {
	filters                  []Filter
	scorers                  []Scorer
	filterNames, scorerNames []string
	filterKinds, scorerKinds []kind // asked: to be found out for each set
	foreign                  bool   // some are not of this package: they may read the group of a set, and fail
	err                      error  // what New found; Plan reports it
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
		known, ok := builtIn(f)
		p.filterKinds, p.foreign = append(p.filterKinds, known), p.foreign || !ok
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
		known, ok := builtIn(inner(s))
		p.scorerKinds, p.foreign = append(p.scorerKinds, known), p.foreign || !ok
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

// enter notes which plug-in is called next: filter k as k+1, scorer k as -k-1.
func (r *run) enter(plugin int32) {
	r.calling = plugin
	if r.s.foreign && r.last.Load() != plugin && r.s.isForeign(plugin) {
		r.last.Store(plugin)
	}
}

func (p *policy) isForeign(plugin int32) bool {
	if plugin > 0 {
		return p.filterKinds[plugin-1] == asked
	}
	return p.scorerKinds[-plugin-1] == asked
}

// name is that of a plug-in in errors.
func (p *policy) name(plugin int32) string {
	if plugin > 0 {
		return "filter " + p.filterNames[plugin-1]
	}
	return "scorer " + p.scorerNames[-plugin-1]
}
