package sched

// kind says how the answers of a plug-in are come by for one set.
type kind uint8

const (
	kept    kind = iota // follow from the set and the host: kept until the host changes
	counted             // follow from counts of groups, which the index keeps itself
	asked               // asked for every copy, about every host that the others leave
	skipped             // has nothing to say of this set
)

// builtIn is the kind of a plug-in of this package; foreign ones are asked
// unless they say otherwise.
func builtIn(plugin any) (k kind, ok bool) {
	switch plugin.(type) {
	case StateFilter, LabelFilter, AddressFilter, ResourceFilter,
		PackScorer, EvenScorer, PreferScorer, ScarcityScorer, ThriftScorer, LocalityScorer:
		return kept, true
	case SpreadFilter, AntiAffinityFilter, AffinityFilter, SpreadScorer, AffinityScorer:
		return counted, true
	}
	return asked, false
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

// sort finds out how each plug-in is to be dealt with for this set.
func (r *run) sort() error {
	r.filters, r.scorers = r.s.filterKinds, r.s.scorerKinds
	if !r.s.foreign {
		return nil
	}
	r.filters, r.scorers = make([]kind, len(r.s.filters)), make([]kind, len(r.s.scorers))
	for k, f := range r.s.filters {
		r.enter(int32(k + 1))
		r.filters[k] = r.kindOf(f, r.s.filterKinds[k])
		if err := r.narrow(k, f); err != nil {
			return err
		}
	}
	for k, s := range r.s.scorers {
		r.enter(-int32(k + 1))
		r.scorers[k] = r.kindOf(inner(s), r.s.scorerKinds[k])
	}
	r.calling = 0
	return nil
}

func (r *run) kindOf(plugin any, known kind) kind {
	if d, ok := plugin.(Dependent); ok && known == asked && d.Depends(&r.req) == OnHost {
		return kept
	}
	return known
}

// again reports whether a copy that is placed may change the answers about
// other hosts.
func (r *run) again() bool {
	for k, f := range r.s.filters {
		if r.filters[k] == asked || r.filters[k] == counted && f.(Dependent).Depends(&r.req) != OnHost {
			return true
		}
	}
	for k, s := range r.s.scorers {
		if r.scorers[k] == asked || r.scorers[k] == counted && inner(s).(Dependent).Depends(&r.req) != OnHost {
			return true
		}
	}
	return false
}
