package sched

import (
	"fmt"
	"maps"
	"math"
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
	ids    []string // sorted
	hosts  map[string]*entry
	claims map[string]held // by set id
	leased map[string]bool // set ids of the claims that lapse
}

// entry is a host as last put, and the same with the claims on it. The maps of
// live are never changed in place, so that snapshots may share them.
type entry struct {
	base, live Host
	sets       map[string]bool // ids of the sets with a claim here
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
		claims: make(map[string]held), leased: make(map[string]bool),
	}
}

// Put adds a host or replaces what is known of it. Used, Groups and IPPools
// are without the ledger's claims, which stay on the host and are added. A
// host that makes no sense is ErrInvalid.
func (l *Ledger) Put(h Host) error {
	if err := h.Validate(); err != nil {
		return &Error{Op: "put host", ID: h.ID, Err: err}
	}
	h.Labels, h.Groups, h.IPPools = maps.Clone(h.Labels), maps.Clone(h.Groups), maps.Clone(h.IPPools)
	l.mu.Lock()
	defer l.mu.Unlock()
	e, known := l.hosts[h.ID]
	if !known {
		at, _ := slices.BinarySearch(l.ids, h.ID)
		l.ids = slices.Insert(l.ids, at, h.ID)
		e = &entry{sets: make(map[string]bool)}
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
	e.live = e.base
	for id := range e.sets {
		e.apply(l.claims[id].Claim)
	}
	l.changed(e)
}

// Snapshot is the fleet now, sorted by host id. It does not change with the
// ledger; its maps are shared: read them only.
func (l *Ledger) Snapshot() Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire()
	s := Snapshot{Number: l.number, Hosts: make([]Host, len(l.ids))}
	for i, id := range l.ids {
		s.Hosts[i] = l.hosts[id].live
	}
	return s
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

func (l *Ledger) changed(e *entry) {
	l.number++
	e.live.Version = l.number
}

// apply adds a claim to the live host.
func (e *entry) apply(c Claim) {
	for r, n := range c.Take {
		e.live.Used[r] = addCapped(e.live.Used[r], n)
	}
	if c.Group != "" {
		e.live.Groups = maps.Clone(e.live.Groups)
		if e.live.Groups == nil {
			e.live.Groups = make(map[string]int)
		}
		e.live.Groups[c.Group]++
	}
	if e.live.IPPools != nil && len(c.Networks) > 0 {
		e.live.IPPools = maps.Clone(e.live.IPPools)
		for _, name := range c.Networks {
			if n, ok := e.live.IPPools[name]; ok {
				e.live.IPPools[name] = max(0, n-1)
			}
		}
	}
}

func addCapped(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
