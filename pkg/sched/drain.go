package sched

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Evacuation is where the sets of a host would go. Nothing is moved by it.
type Evacuation struct {
	// HostID is the host that is emptied.
	HostID string
	// Moves has a claim for each set that has another host, in the order in
	// which to move them. A Ledger accepts one after the set's claim on the old
	// host is released.
	Moves []Claim
	// Stuck are the sets that have no other host, by id.
	Stuck []Stuck
	// Snapshot is the Number of the snapshot it was made on.
	Snapshot uint64
}

// Stuck is a set that cannot leave its host, and why.
type Stuck struct {
	SetID string
	Why   Explanation
}

// Drain says where the sets of one host would go if it were emptied. The host
// counts as cordoned. Sets of a high Priority go first, then large ones, each
// to the host that Plan would choose with the earlier ones moved; what a set
// takes (its need, its place in the group, its addresses) is no longer on the
// old host when it looks for a new one. Those that find none try again after
// others have moved. Groups and addresses of a set that stays, stay.
//
// It changes nothing, and the same snapshot, sets and seed give the same
// answer. It fails with ErrNotFound when the snapshot has no such host, with
// ErrInvalid on bad input (a set named twice, sets that need more than
// Host.Used), with ErrPlugin when a filter or scorer misbehaves, and with the
// context's error when that ends. Sets that are stuck are no error.
func (s *Scheduler) Drain(ctx context.Context, snap Snapshot, hostID string, sets []Set) (Evacuation, error) {
	e, err := s.drain(ctx, snap, hostID, sets)
	if err != nil {
		return Evacuation{}, &Error{Op: "drain host", ID: hostID, Err: err}
	}
	return e, nil
}

func (s *Scheduler) drain(ctx context.Context, snap Snapshot, hostID string, sets []Set) (Evacuation, error) {
	d, err := s.newDraining(snap, hostID)
	if err != nil {
		return Evacuation{}, err
	}
	if err := d.check(sets); err != nil {
		return Evacuation{}, err
	}
	left := d.order(sets)
	for moved := true; moved && len(left) > 0; {
		before := len(left)
		if left, err = d.pass(ctx, left); err != nil {
			return Evacuation{}, err
		}
		moved = len(left) < before
	}
	if err := ctx.Err(); err != nil {
		return Evacuation{}, err
	}
	slices.SortFunc(d.out.Stuck, func(a, b Stuck) int { return strings.Compare(a.SetID, b.SetID) })
	return d.out, nil
}

// draining is a fleet that sets move on. A host is copied before it changes,
// so that the scheduler sees which ones did.
type draining struct {
	s     *Scheduler
	hosts []*Host
	index map[string]int
	from  int
	out   Evacuation
}

func (s *Scheduler) newDraining(snap Snapshot, hostID string) (*draining, error) {
	if s.err != nil {
		return nil, s.err
	}
	hosts, err := snap.sorted()
	if err != nil {
		return nil, err
	}
	d := &draining{s: s.without(hostID), hosts: slices.Clone(hosts), index: make(map[string]int, len(hosts))}
	for i, h := range hosts {
		d.index[h.ID] = i
	}
	from, known := d.index[hostID]
	if !known {
		return nil, fmt.Errorf("the snapshot has no such host: %w", ErrNotFound)
	}
	d.from, d.out = from, Evacuation{HostID: hostID, Snapshot: snap.Number}
	h := *hosts[from]
	if h.State == Ready {
		h.State = Cordoned
	}
	d.hosts[from] = &h
	return d, nil
}

// without is a scheduler of the same rules that keeps its own fleet, and takes
// no host of that id even when its policy takes cordoned ones.
func (s *Scheduler) without(hostID string) *Scheduler {
	filters := s.filters
	if !slices.ContainsFunc(filters, func(f Filter) bool { return f == Filter(StateFilter{}) }) {
		filters = append([]Filter{emptied{hostID}}, filters...)
	}
	return &Scheduler{
		policy: newPolicy(filters, s.scorers), seed: s.seed, shard: s.shard,
		exhaustive: s.exhaustive, check: s.check, budget: s.budget,
	}
}

// emptied refuses the host that is drained.
type emptied struct{ id string }

func (emptied) Name() string { return "drain" }

func (e emptied) Filter(_ *Request, h HostView) Reason {
	if h.ID() == e.id {
		return "is being emptied"
	}
	return ""
}

// check refuses sets that cannot all be on the host.
func (d *draining) check(sets []Set) error {
	seen, taken := make(map[string]bool, len(sets)), Vector{}
	for k := range sets {
		set := &sets[k]
		if err := (&Batch{Set: *set}).Validate(); err != nil {
			return fmt.Errorf("set %q: %w", set.ID, err)
		}
		if seen[set.ID] {
			return invalid("set %s is named twice", set.ID)
		}
		seen[set.ID] = true
		if err := lodgeOne(d.hosts[d.from], &Claim{SetID: set.ID, Take: set.Need}, &taken); err != nil {
			return err
		}
	}
	return nil
}

// order is the sets in the order in which they look for a host.
func (d *draining) order(sets []Set) []*Set {
	list := make([]*Set, len(sets))
	for k := range sets {
		list[k] = &sets[k]
	}
	slices.SortFunc(list, func(a, b *Set) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(d.size(b), d.size(a)), strings.Compare(a.ID, b.ID))
	})
	return list
}

// size is the largest part that the set needs of what its host has.
func (d *draining) size(set *Set) float64 {
	size, all := 0.0, d.hosts[d.from].Allocatable()
	for r, need := range set.Need {
		size = max(size, float64(need)/float64(max(1, all[r])))
	}
	return size
}

// pass has each set look for a host, and hands back those that find none.
func (d *draining) pass(ctx context.Context, sets []*Set) (left []*Set, err error) {
	d.out.Stuck = nil
	for _, set := range sets {
		why, err := d.move(ctx, set)
		if err != nil {
			return nil, fmt.Errorf("set %s: %w", set.ID, err)
		}
		if why != nil {
			left = append(left, set)
			d.out.Stuck = append(d.out.Stuck, Stuck{set.ID, *why})
		}
	}
	return left, nil
}

// move has a set change hosts, or says why it cannot.
func (d *draining) move(ctx context.Context, set *Set) (*Explanation, error) {
	was, now := d.hosts[d.from], *d.hosts[d.from]
	now.ownMaps()
	now.leave(&Claim{Take: set.Need, Group: set.Group, Networks: set.Networks})
	d.put(d.from, &now)
	plan, err := d.s.plan(ctx, Snapshot{fleet: d.hosts}, &Batch{Set: *set})
	var no *NoFitError
	if errors.As(err, &no) {
		d.put(d.from, was)
		return &no.Why, nil
	}
	if err != nil {
		return nil, err
	}
	c := plan.Claims[0]
	to := d.index[c.HostID]
	e := entry{live: d.hosts[to]}
	e.open(1) // a copy: rounds begin at 0
	e.apply(&c)
	d.put(to, e.live)
	d.out.Moves = append(d.out.Moves, c)
	return nil, nil
}

// put changes host i in a new list: the scheduler remembers the old one.
func (d *draining) put(i int, h *Host) {
	d.hosts = slices.Clone(d.hosts)
	d.hosts[i] = h
}
