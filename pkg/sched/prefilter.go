package sched

import "fmt"

// Prefilter is an optional part of a Filter that knows something of the set
// before it has seen a host.
type Prefilter interface {
	// Prefilter is called once for each plan. Its error ends the plan, which
	// fails with it.
	Prefilter(q *Request) (Scope, error)
}

// Scope is what a Prefilter makes of a set. The zero value means that the
// Filter is to be asked about every host.
type Scope struct {
	// Skip says that the Filter refuses no host, so that nobody need ask.
	Skip bool
	// Hosts are the ids of the only hosts in question, if it is not nil; ids
	// that the fleet does not have are no matter.
	Hosts []string
}

// outside is the reason for hosts that are not in a Scope.
const outside Reason = "is not among the hosts in question"

// narrow asks filter k for its scope.
func (r *run) narrow(k int, f Filter) error {
	p, ok := f.(Prefilter)
	if !ok {
		return nil
	}
	s, err := p.Prefilter(&r.req)
	if err != nil {
		name := r.s.name(r.calling)
		r.calling = 0
		return fmt.Errorf("%s: %w", name, err)
	}
	if s.Skip {
		r.filters[k] = skipped
		return nil
	}
	if s.Hosts != nil {
		r.limit(k, s.Hosts)
	}
	return nil
}

// limit leaves filter k the hosts of a scope.
func (r *run) limit(k int, ids []string) {
	if r.scopes == nil {
		r.scopes = make([][]bool, len(r.s.filters))
	}
	in := make([]bool, len(r.f.hosts))
	for _, id := range ids {
		if i := r.f.find(id); i >= 0 {
			in[i] = true
		}
	}
	r.scopes[k] = in
}

// leavesOut reports whether host i is not in the scope of filter k.
func (r *run) leavesOut(k, i int) bool {
	return r.scopes != nil && r.scopes[k] != nil && !r.scopes[k][i]
}

// within is the hosts in every scope, or nil when all are.
func (r *run) within() []int32 {
	if r.scopes == nil {
		return nil
	}
	list := make([]int32, 0, len(r.f.hosts))
	for i := range r.f.hosts {
		out := false
		for k := range r.scopes {
			out = out || r.leavesOut(k, i)
		}
		if !out {
			list = append(list, int32(i))
		}
	}
	return list
}
