package sched

import "math"

// Validate reports the first thing about the host that makes no sense, as
// ErrInvalid.
func (h *Host) Validate() error {
	if h.ID == "" {
		return invalid("a host has no id")
	}
	if h.State > Down {
		return invalid("host %s has the unknown state %d", h.ID, h.State)
	}
	for r := range NumResources {
		if err := h.validateResource(Resource(r)); err != nil {
			return err
		}
	}
	for network, n := range h.IPPools {
		if n < 0 {
			return invalid("host %s has %d free addresses in network %s", h.ID, n, network)
		}
	}
	for group, n := range h.Groups {
		if n < 0 || n > math.MaxInt32 {
			return invalid("host %s has %d sets of group %s", h.ID, n, group)
		}
	}
	return nil
}

func (h *Host) validateResource(r Resource) error {
	if h.Capacity[r] < 0 || h.Reserved[r] < 0 || h.Used[r] < 0 {
		return invalid("host %s has a negative amount of %s", h.ID, r)
	}
	ratio := h.Overcommit[r]
	if ratio == 0 {
		return nil
	}
	// The negated form catches NaN as well.
	if !(ratio > 0 && float64(h.Capacity[r])*ratio < math.MaxInt64) {
		return invalid("host %s overcommits %s by %v, which is negative or too much to count", h.ID, r, ratio)
	}
	return nil
}

// Validate reports the first thing about the set that makes no sense, as
// ErrInvalid.
func (s *Set) Validate() error {
	for r, n := range s.Need {
		if n < 0 {
			return invalid("the set needs %d of %s, which is negative", n, Resource(r))
		}
	}
	for _, name := range s.Networks {
		if name == "" {
			return invalid("the set names a network without a name")
		}
	}
	if err := s.validateLabels(); err != nil {
		return err
	}
	for _, sp := range s.Spread {
		if sp.By == "" || sp.MaxSkew < 0 {
			return invalid("the set spreads by %q with skew %d; a label and a skew of 0 or more are needed", sp.By, sp.MaxSkew)
		}
	}
	for _, a := range s.Affinity {
		// The negated form catches NaN as well.
		if !(math.Abs(a.Weight) <= maxWeight) {
			return invalid("the set has an affinity to group %q with weight %v; one from -1e9 to 1e9 is needed", a.Group, a.Weight)
		}
	}
	return s.contradicts()
}

func (s *Set) validateLabels() error {
	for _, sel := range s.Require {
		if sel.Key == "" {
			return invalid("the set requires a label without a key")
		}
	}
	for _, p := range s.Prefer {
		if p.Key == "" || !(p.Weight >= 0 && p.Weight <= maxWeight) {
			return invalid("the set prefers label %q with weight %v; a key and a weight from 0 to 1e9 are needed", p.Key, p.Weight)
		}
	}
	return nil
}

// Validate reports the first thing about the batch that makes no sense, as
// ErrInvalid.
func (b *Batch) Validate() error {
	n := max(1, b.N)
	switch {
	case b.N < 0 || b.N > MaxBatch:
		return invalid("%d copies are wanted; ask for 1 to %d", b.N, MaxBatch)
	case b.Min < 0 || b.Min > n:
		return invalid("at least %d of %d copies are wanted; ask for a minimum from 0 to %d", b.Min, n, n)
	case len(b.IDs) > 0 && len(b.IDs) != n:
		return invalid("%d ids are given for %d copies; give one for each or none", len(b.IDs), n)
	case len(b.IDs) == 0 && b.Set.ID == "":
		return invalid("the set has no id")
	}
	seen := make(map[string]bool, len(b.IDs))
	for _, id := range b.IDs {
		if id == "" || seen[id] {
			return invalid("the id %q of a copy is empty or given twice", id)
		}
		seen[id] = true
	}
	return b.Set.Validate()
}
