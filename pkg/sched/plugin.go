package sched

// Filter says which hosts a set may go to. It is called from several
// goroutines when Plan is.
//
// The answer must follow from the arguments alone, so that it may be kept
// until the host changes; a filter that looks further says so by Dependent.
type Filter interface {
	// Name is the filter's name in explanations and errors.
	Name() string
	// Filter returns "" when the host will do, or the reason why not.
	Filter(q *Request, h HostView) Reason
}

// Scorer says which of the possible hosts is better. It is called from
// several goroutines when Plan is, and its answer must follow from the
// arguments alone, as for a Filter.
type Scorer interface {
	// Name is the scorer's name in explanations and errors.
	Name() string
	// Score is higher for a better host. The built-in scorers stay between 0
	// and 1, so that weights compare. The scores of all scorers are summed;
	// NaN or an infinity ends the plan with ErrPlugin.
	Score(q *Request, h HostView) float64
}

// Reason is why a host will not do: a phrase about one host, with a verb in
// the third person, such as "is cordoned" or "lacks memory". Explanations put
// it in the plural where several hosts share it. A filter should have few
// different ones: beyond 32 they are counted together.
type Reason string

// Dependent is an optional part of a Filter or Scorer whose answer depends on
// more than the request and the one host.
type Dependent interface {
	// Depends is asked once per plan.
	Depends(q *Request) Dependency
}

// Dependency says when an answer of a plug-in may change.
type Dependency uint8

// OnHost, the default, changes only when that host changes. OnGroup changes
// when a copy of the group is placed anywhere. Always may change at any time
// (a clock, a remote figure). OnGroup and Always make every host be looked at
// again for every copy, which is slow on large fleets.
const (
	OnHost Dependency = iota
	OnGroup
	Always
)

// Weighted multiplies the scores of a Scorer.
type Weighted struct {
	Scorer
	Weight float64
}

// Score is the scorer's score times the weight.
func (w Weighted) Score(q *Request, h HostView) float64 {
	return w.Weight * w.Scorer.Score(q, h)
}

// Depends is what the scorer itself depends on.
func (w Weighted) Depends(q *Request) Dependency { return depends(w.Scorer, q) }

func depends(plugin any, q *Request) Dependency {
	if d, ok := plugin.(Dependent); ok {
		return d.Depends(q)
	}
	return OnHost
}
