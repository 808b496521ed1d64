package sched

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// LedgerConfig sets up a Ledger; the zero value will do.
type LedgerConfig struct {
	// Now is the clock for reservations; nil means time.Now.
	Now func() time.Time
}

// Ledger keeps hosts and the claims on them in memory: the account that plans
// are made on and committed to. It may be used from several goroutines. Its
// methods do not wait for anything.
type Ledger struct {
	mu     sync.Mutex
	now    func() time.Time
	number uint64
	hosts  map[string]*entry
	claims map[string]*held // by set id
	leased map[string]bool  // set ids of the claims that lapse

	ids     []string // sorted
	fleet   []*Host  // live hosts in the order of ids; see publish
	ordered bool     // fleet and the places in it match ids
	shared  bool     // a snapshot has fleet
	round   uint64   // of changes, between two snapshots
}

type held struct {
	Claim
	until time.Time // zero: for good
}

// NewLedger makes an empty Ledger.
func NewLedger(c LedgerConfig) *Ledger {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Ledger{
		now: c.Now, hosts: make(map[string]*entry),
		claims: make(map[string]*held), leased: make(map[string]bool),
	}
}

// Put adds a host or replaces what is known of it. Used, Groups and IPPools
// are without the ledger's claims, which stay on the host and are added. A
// host that makes no sense is ErrInvalid.
func (l *Ledger) Put(h Host) error {
	if err := h.Validate(); err != nil {
		return &Error{Op: "put host", ID: h.ID, Err: err}
	}
	h.Labels, h.Groups = maps.Clone(h.Labels), maps.Clone(h.Groups)
	h.IPPools, h.Layers = maps.Clone(h.IPPools), maps.Clone(h.Layers)
	l.mu.Lock()
	defer l.mu.Unlock()
	e, known := l.hosts[h.ID]
	if !known {
		at, _ := slices.BinarySearch(l.ids, h.ID)
		l.ids = slices.Insert(l.ids, at, h.ID)
		e = &entry{sets: make(map[string]bool)}
		l.ordered = false
		l.hosts[h.ID] = e
	}
	e.base = h
	l.recount(e)
	return nil
}

// SetState changes whether a host takes new sets; an unknown host is
// ErrNotFound.
func (l *Ledger) SetState(hostID string, s State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.hosts[hostID]
	if !ok || s > Down {
		err := fmt.Errorf("the ledger has no such host: %w", ErrNotFound)
		if ok {
			err = invalid("the state %d is unknown", s)
		}
		return &Error{Op: "set state of host", ID: hostID, Err: err}
	}
	e.open(l.round)
	e.base.State, e.live.State = s, s
	l.changed(e)
	return nil
}

// Remove forgets a host and the claims on it. A host that is not there is no
// error.
func (l *Ledger) Remove(hostID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.hosts[hostID]
	if !ok {
		return
	}
	delete(l.hosts, hostID)
	at, _ := slices.BinarySearch(l.ids, hostID)
	l.ids = slices.Delete(l.ids, at, at+1)
	l.ordered = false
	for id := range e.sets {
		delete(l.claims, id)
		delete(l.leased, id)
	}
	l.number++
}

// Release gives back what the sets hold. Sets that hold nothing are no error,
// so it can be repeated.
func (l *Ledger) Release(setIDs ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range setIDs {
		l.release(id)
	}
}

func (l *Ledger) release(setID string) {
	c, ok := l.claims[setID]
	if !ok {
		return
	}
	delete(l.claims, setID)
	delete(l.leased, setID)
	e := l.hosts[c.HostID]
	delete(e.sets, setID)
	l.recount(e)
}

// recount works the live host out from its base and claims. Subtracting a
// claim would be quicker, but drifts when a forced one went past what an
// amount can hold.
func (l *Ledger) recount(e *entry) {
	e.open(l.round)
	*e.live, e.ownGroups, e.ownPool = e.base, false, false
	for id := range e.sets {
		e.apply(&l.claims[id].Claim)
	}
	l.changed(e)
}

// changed gives the live host a new version and puts it into the fleet.
func (l *Ledger) changed(e *entry) {
	l.number++
	e.live.Version = l.number
	if !l.ordered || l.fleet[e.at] == e.live {
		return
	}
	if l.shared {
		l.fleet, l.shared = slices.Clone(l.fleet), false
	}
	l.fleet[e.at] = e.live
}

// Snapshot is the fleet now, sorted by host id. It does not change with the
// ledger. It is cheap: hosts are shared, and only those changed since the last
// snapshot are new.
func (l *Ledger) Snapshot() Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire()
	if !l.ordered {
		l.order()
	}
	l.shared = true
	l.round++
	return Snapshot{Number: l.number, fleet: l.fleet}
}

// order lists the fleet anew after hosts came or went.
func (l *Ledger) order() {
	l.fleet = make([]*Host, len(l.ids))
	for i, id := range l.ids {
		e := l.hosts[id]
		e.at, l.fleet[i] = i, e.live
	}
	l.ordered = true
}

// Claims are the claims now held, sorted by set id.
func (l *Ledger) Claims() []Claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire()
	claims := make([]Claim, 0, len(l.claims))
	for _, c := range l.claims {
		claims = append(claims, c.Claim)
	}
	slices.SortFunc(claims, func(a, b Claim) int { return strings.Compare(a.SetID, b.SetID) })
	return claims
}

// expire gives back reservations whose time is over.
func (l *Ledger) expire() {
	now := l.now()
	for id := range l.leased {
		if !now.Before(l.claims[id].until) {
			l.release(id)
		}
	}
}
