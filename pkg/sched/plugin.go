package sched

// Filter says which hosts a set may go to. It is called from several
// goroutines when Plan is.
//
// It is asked about every host for every copy, unless it promises by Dependent
// that its answers may be kept.
type Filter interface {
	// Name is the filter's name in explanations and errors.
	Name() string
	// Filter returns "" when the host will do, or the reason why not.
	Filter(q *Request, h HostView) Reason
}

// Scorer says which of the possible hosts is better. It is called from
// several goroutines when Plan is. Like a Filter it is asked for every copy unless
// it is Dependent.
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

// Dependent is an optional part of a Filter or Scorer that says when its
// answers may change. One without it is taken for Always: right whatever it
// does, but slow on large fleets, because every host is asked about for every
// copy. See Config.Check for finding out whether a plug-in is what it says.
type Dependent interface {
	// Depends is asked once per plan.
	Depends(q *Request) Dependency
}

// Dependency says when an answer of a plug-in may change.
type Dependency uint8

// OnHost follows from the request and the host alone: the answer is kept until
// the host changes, also for later plans of sets that are alike but for their
// IDs. OnGroup may change when a copy of the group is placed anywhere, Always at
// any time (a clock, a remote figure).
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
