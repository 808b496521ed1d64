package sched

import "math"

// State says whether a host takes new sets.
type State uint8

// Ready takes new sets, Cordoned keeps what it runs and takes no more (an
// operator's choice), Down is not reachable.
const (
	Ready State = iota
	Cordoned
	Down
)

// String is the word used in answers: ready, cordoned or down.
func (s State) String() string {
	switch s {
	case Ready:
		return "ready"
	case Cordoned:
		return "cordoned"
	case Down:
		return "down"
	}
	return "in an unknown state"
}

// Host is one machine as the scheduler sees it. The scheduler only reads it.
type Host struct {
	ID   string
	Rack string
	Zone string
	// Labels are matched by Selectors.
	Labels map[string]string
	// Capacity is what the machine physically has.
	Capacity Vector
	// Overcommit multiplies Capacity, one ratio per resource; 0 means 1.
	Overcommit [NumResources]float64
	// Reserved is kept from sets, for the system and the agents. It is taken
	// off after the overcommit.
	Reserved Vector
	// Used is what the sets on the host have been given.
	Used Vector
	// IPPools are the free addresses per network on this host. nil means that
	// addresses do not depend on the host; otherwise a network that is not in
	// the map cannot be reached from here.
	IPPools map[string]int64
	// Groups counts the sets already here by their Group; it feeds
	// anti-affinity and spread.
	Groups map[string]int
	// Layers are the image layers here, by the id that Layer.ID uses.
	Layers map[string]bool
	// State is Ready unless said otherwise.
	State State
	// Version changes with every change of the host; a Claim carries it back,
	// so that a strict commit sees that the host has moved on.
	Version uint64
}

// Allocatable is what sets may use in all: Capacity times Overcommit less
// Reserved, never below zero.
func (h *Host) Allocatable() Vector {
	var v Vector
	for r, c := range h.Capacity {
		v[r] = max(0, stretch(c, h.Overcommit[r])-h.Reserved[r])
	}
	return v
}

// Free is Allocatable less Used. It is negative where more is in use than may
// be, which happens when an overcommit is lowered.
func (h *Host) Free() Vector {
	v := h.Allocatable()
	for r := range v {
		v[r] -= h.Used[r]
	}
	return v
}

// stretch keeps whole numbers exact where no ratio asks for arithmetic in
// floating point, and stops at the largest int64.
func stretch(c int64, ratio float64) int64 {
	if ratio == 0 || ratio == 1 {
		return c
	}
	f := float64(c) * ratio
	if f >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(f)
}

// Label is the host's value of a label. "host", "rack" and "zone" are always
// the ID, Rack and Zone.
func (h *Host) Label(key string) (value string, ok bool) {
	switch key {
	case "host":
		return h.ID, true
	case "rack":
		return h.Rack, h.Rack != ""
	case "zone":
		return h.Zone, h.Zone != ""
	}
	value, ok = h.Labels[key]
	return value, ok
}
