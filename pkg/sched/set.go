package sched

import "strings"

// Set is what gets placed: the containers of one set, or one VM. It is never
// split over hosts.
type Set struct {
	// ID identifies the set in claims and errors.
	ID string
	// Group is the service the set belongs to, the unit of spread and
	// anti-affinity. Copies without a group count as a group of their own
	// batch.
	Group string
	// Need is what one copy takes from its host.
	Need Vector
	// Networks are the networks it wants an address in, one address for each
	// mention.
	Networks []string
	// Require are conditions a host must meet, all of them.
	Require []Selector
	// Prefer are conditions that make a host better.
	Prefer []Preference
	// Spread asks for even numbers of the group over racks, zones or others.
	Spread []Spread
	// AntiAffinity keeps the set away from groups.
	AntiAffinity []AntiAffinity
	// Affinity wants the set near groups.
	Affinity []Affinity
	// Layers are those of the set's images, each once.
	Layers []Layer
	// Priority says whom Victims may propose to stop for this set: sets of a
	// lower one. Plan does not look at it.
	Priority int32
}

// Layer is a part of an image that hosts keep and share between images.
type Layer struct {
	ID   string
	Size int64 // bytes to pull where it is missing
}

// Selector is a condition on a label of a host. The keys "host", "rack" and
// "zone" mean the host's own fields.
type Selector struct {
	Key string
	// Values are the accepted values; none means that any value will do.
	Values []string
	// Not turns the condition round.
	Not bool
}

// Matches reports whether the host meets the condition.
func (s Selector) Matches(h *Host) bool {
	value, ok := h.Label(s.Key)
	return s.accepts(value, ok) != s.Not
}

func (s Selector) accepts(value string, ok bool) bool {
	if !ok || len(s.Values) == 0 {
		return ok
	}
	for _, v := range s.Values {
		if v == value {
			return true
		}
	}
	return false
}

// String is the condition in short form: "disk=ssd|nvme", or "gpu" when any
// value will do.
func (s Selector) String() string {
	if len(s.Values) == 0 {
		return s.Key
	}
	return s.Key + "=" + strings.Join(s.Values, "|")
}

// Preference is a Selector that is wished for. Weight is its share among the
// set's preferences; 0 means 1.
type Preference struct {
	Selector
	Weight float64
}

// Spread evens out the sets of a group over the values of a label.
type Spread struct {
	// By is the label: "rack", "zone", "host" or one of the operator's.
	By string
	// MaxSkew is by how many sets a value may be ahead of the emptiest one;
	// 0 means 1. Only Hard looks at it.
	MaxSkew int
	// Hard refuses hosts that would break MaxSkew or have no such label;
	// otherwise emptier values are only preferred.
	Hard bool
}

// AntiAffinity keeps a set off hosts, racks or zones where a group is. A host
// without the label is not kept off.
type AntiAffinity struct {
	// Group is the group to stay away from; empty means the set's own.
	Group string
	// By is the label that must differ; empty means "host".
	By string
}

// Affinity wants a set on the hosts, racks or zones where a group is.
type Affinity struct {
	// Group is the group to be near; empty means the set's own.
	Group string
	// By is the label that must be the same; empty means "host".
	By string
	// Hard refuses other hosts. The first copy of a set that is to be near its
	// own group may go anywhere.
	Hard bool
	// Weight is the share of a rule that is not Hard among such rules; 0 means
	// 1, and a negative one wishes the set away from the group.
	Weight float64
}
