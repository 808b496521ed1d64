package sched

import (
	"context"
	"errors"
	"slices"
)

// Running is a set that holds a share of a host, as Victims needs to know it.
type Running struct {
	// Claim is what it holds, such as one of Ledger.Claims.
	Claim Claim
	// Priority is that of the set; only sets with a lower one than the new set
	// may be stopped for it.
	Priority int32
}

// Proposal is what to stop so that a set fits. Nothing is stopped by it.
type Proposal struct {
	// HostID is where the set fits then.
	HostID string
	// Victims are the ids of the sets to stop, sorted; none when the set fits
	// as things are.
	Victims []string
	// Snapshot is the Number of the snapshot it was made on.
	Snapshot uint64
}

// Victims proposes which sets of a lower priority to stop so that the set fits
// on one host. Of the hosts where that helps it takes the one whose dearest
// victim has the lowest priority, then the one with fewest victims, with the
// lowest sum of their priorities, and the one that the scorers like best. No
// victim could stay: the dearest are spared first. All filters have their say,
// with the victims gone.
//
// running are the sets on the fleet, at least those that may be stopped. It
// changes nothing, and the same input and seed give the same answer. It fails
// with ErrNoFit where stopping sets does not help, with ErrInvalid on bad
// input (a set named twice, on a host that is not in the snapshot, or taking
// more than Host.Used), with ErrPlugin when a filter or scorer misbehaves, and
// with the context's error when that ends.
func (s *Scheduler) Victims(ctx context.Context, snap Snapshot, set Set, running []Running) (Proposal, error) {
	p, err := s.victims(ctx, snap, &Batch{Set: set}, running)
	if err != nil {
		return Proposal{}, &Error{Op: "find victims for", ID: set.ID, Err: err}
	}
	p.Snapshot = snap.Number
	return p, nil
}

func (s *Scheduler) victims(ctx context.Context, snap Snapshot, b *Batch, running []Running) (Proposal, error) {
	q, err := s.newSearch(snap, b, running)
	if err != nil {
		return Proposal{}, err
	}
	plan, err := s.plan(ctx, snap, b)
	if err == nil {
		return Proposal{HostID: plan.Claims[0].HostID}, nil
	}
	if !errors.Is(err, ErrNoFit) {
		return Proposal{}, err
	}
	noFit := err
	if _, _, err := q.guard(ctx, q.all); err != nil {
		return Proposal{}, err
	}
	if q.found == nil {
		return Proposal{}, noFit
	}
	p := Proposal{HostID: q.f.hosts[q.found.host].ID}
	for _, v := range q.found.victims {
		p.Victims = append(p.Victims, v.Claim.SetID)
	}
	slices.Sort(p.Victims)
	return p, nil
}

// newSearch checks what was handed in, and takes a fleet of its own.
func (s *Scheduler) newSearch(snap Snapshot, b *Batch, running []Running) (*search, error) {
	if err := s.validate(b); err != nil {
		return nil, err
	}
	hosts, err := snap.sorted()
	if err != nil {
		return nil, err
	}
	f := newFleet(slices.Clone(hosts), s.seed, s.shard)
	q := &search{scanner: scanner{run: newRun(s, f, b)}, lower: make([][]*Running, len(hosts))}
	return q, q.lodge(running)
}

// lodge notes the sets that may be stopped, and refuses those that cannot be
// where they are said to be.
func (q *search) lodge(running []Running) error {
	seen, taken := make(map[string]bool, len(running)), make(map[string]*Vector)
	for k := range running {
		c := &running[k].Claim
		if seen[c.SetID] {
			return invalid("set %s is named twice", c.SetID)
		}
		seen[c.SetID] = true
		i := q.f.find(c.HostID)
		if i < 0 {
			return invalid("set %s is said to be on host %s, which the snapshot does not have", c.SetID, c.HostID)
		}
		if taken[c.HostID] == nil {
			taken[c.HostID] = new(Vector)
		}
		if err := lodgeOne(q.f.hosts[i], c, taken[c.HostID]); err != nil {
			return err
		}
		if running[k].Priority < q.req.Set.Priority {
			q.lower[i] = append(q.lower[i], &running[k])
		}
	}
	return nil
}

// lodgeOne adds a claim to what is taken of its host, and refuses what cannot
// be.
func lodgeOne(h *Host, c *Claim, taken *Vector) error {
	if err := validateClaims([]Claim{{SetID: c.SetID, HostID: h.ID, Take: c.Take}}, Mode{}); err != nil {
		return err
	}
	for r, n := range c.Take {
		if taken[r] = addCapped(taken[r], n); taken[r] > h.Used[r] {
			return invalid("set %s and those named before it take %d %s of host %s, where only %d are in use",
				c.SetID, taken[r], Resource(r), h.ID, h.Used[r])
		}
	}
	return nil
}
