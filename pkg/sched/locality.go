package sched

// MissingBytes is what a host would have to pull for a set.
func MissingBytes(s *Set, h *Host) int64 {
	var n int64
	for _, l := range s.Layers {
		if !h.Layers[l.ID] {
			n += l.Size
		}
	}
	return n
}

// LocalityScorer likes hosts that have the set's image layers already. The
// score is the share of their bytes that is there; 1 for a set without any.
type LocalityScorer struct{}

// Name is "locality".
func (LocalityScorer) Name() string { return "locality" }

// Score implements Scorer.
func (LocalityScorer) Score(q *Request, h HostView) float64 {
	var all int64
	for _, l := range q.Set.Layers {
		all += l.Size
	}
	if all <= 0 {
		return 1
	}
	return 1 - float64(MissingBytes(&q.Set, h.r.f.hosts[h.i]))/float64(all)
}
