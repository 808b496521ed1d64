package sched

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Mode is how strict and how lasting a commit is. The zero value accepts each
// claim that still fits, for good.
type Mode struct {
	// SameVersion refuses a claim when its host has changed in any way since
	// the plan, instead of only when the claim no longer fits.
	SameVersion bool
	// AllOrNothing accepts no claim when one is refused.
	AllOrNothing bool
	// Force records claims whether they fit or not: what already runs, when a
	// ledger is rebuilt. The host must be known.
	Force bool
	// TTL makes the claims a reservation that lapses after this time;
	// committing the same plan again with no TTL makes it last. 0 is for good.
	TTL time.Duration
}

// Result is what a commit did.
type Result struct {
	// Accepted are the claims that hold now, also those that held before.
	Accepted []Claim
	// Conflicts are the refused ones.
	Conflicts []Conflict
	// Snapshot is the number of the state after the commit.
	Snapshot uint64
}

// Conflict is a claim that was refused, and why, in words that follow the
// host's name: "is cordoned", "lacks memory".
type Conflict struct {
	Claim  Claim
	Reason Reason
}

// Commit takes what the plan claims. A set that already holds the same claim
// is accepted without taking it twice, so a commit may be repeated.
//
// When a claim is refused the error is ErrConflict and Result tells which;
// without Mode.AllOrNothing the other claims hold: take a new snapshot and
// plan the refused ones again. A Claim that makes no sense is ErrInvalid and
// nothing is taken.
func (l *Ledger) Commit(ctx context.Context, p Plan, m Mode) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, &Error{Op: "commit", Err: err}
	}
	if err := validateClaims(p.Claims, m); err != nil {
		return Result{}, &Error{Op: "commit", Err: err}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire()
	res := l.commit(p, m)
	res.Snapshot = l.number
	if len(res.Conflicts) == 0 {
		return res, nil
	}
	c := res.Conflicts[0]
	return res, &Error{Op: "commit", ID: c.Claim.SetID, Err: fmt.Errorf("host %s %s (%d of %d claims refused); plan again: %w",
		c.Claim.HostID, c.Reason, len(res.Conflicts), len(p.Claims), ErrConflict)}
}

func (l *Ledger) commit(p Plan, m Mode) Result {
	var res Result
	var until time.Time
	if m.TTL > 0 {
		until = l.now().Add(m.TTL)
	}
	versions := make(map[string]uint64) // as they were before this commit's own claims
	fresh := make([]string, 0, len(p.Claims))
	res.Accepted = make([]Claim, 0, len(p.Claims))
	for i := range p.Claims {
		c := &p.Claims[i]
		if e := l.hosts[c.HostID]; e != nil && m.SameVersion {
			if _, seen := versions[c.HostID]; !seen {
				versions[c.HostID] = e.live.Version
			}
		}
		if reason := l.refuses(c, m, versions[c.HostID]); reason != "" {
			res.Conflicts = append(res.Conflicts, Conflict{*c, reason})
			continue
		}
		res.Accepted = append(res.Accepted, *c)
		if _, had := l.claims[c.SetID]; !had {
			fresh = append(fresh, c.SetID)
			l.hold(c)
		}
	}
	if m.AllOrNothing && len(res.Conflicts) > 0 {
		for _, id := range fresh {
			l.release(id)
		}
		res.Accepted = nil
		return res
	}
	l.lease(res.Accepted, fresh, until)
	return res
}

// hold keeps a copy of the claim: whoever planned it may use its lists again.
func (l *Ledger) hold(c *Claim) {
	own := &held{Claim: *c}
	own.Networks, own.Avoid = slices.Clone(c.Networks), slices.Clone(c.Avoid)
	l.claims[c.SetID] = own
	e := l.hosts[c.HostID]
	e.sets[c.SetID] = true
	e.open(l.round)
	e.apply(c)
	l.changed(e)
}

// lease sets how long the accepted claims hold. It never shortens what was
// held before.
func (l *Ledger) lease(accepted []Claim, fresh []string, until time.Time) {
	if until.IsZero() {
		for i := range accepted {
			delete(l.leased, accepted[i].SetID)
			l.claims[accepted[i].SetID].until = until
		}
		return
	}
	for _, id := range fresh {
		l.leased[id] = true
	}
	for i := range accepted {
		id := accepted[i].SetID
		if h := l.claims[id]; l.leased[id] && h.until.Before(until) {
			h.until = until
		}
	}
}

// refuses is why the claim cannot be taken, or "".
func (l *Ledger) refuses(c *Claim, m Mode, version uint64) Reason {
	e, known := l.hosts[c.HostID]
	if !known {
		return "is not known any more"
	}
	if old, had := l.claims[c.SetID]; had {
		if old.HostID != c.HostID || old.Take != c.Take {
			return Reason("is not where set " + c.SetID + " already is, or gives it something else")
		}
		return ""
	}
	switch {
	case m.Force:
		return ""
	case e.live.State != Ready:
		return Reason("is " + e.live.State.String())
	case m.SameVersion && version != c.HostVersion:
		return "has changed since the plan"
	}
	return e.lacks(c)
}

// lacks is what the live host has too little of, or the group that is in the way.
func (e *entry) lacks(c *Claim) Reason {
	for _, group := range c.Avoid {
		if e.live.Groups[group] > 0 {
			return Reason("has a set of group " + group)
		}
	}
	free := e.live.Free()
	if r := c.Take.short(&free); r >= 0 {
		return Reason("lacks " + Resource(r).String())
	}
	if e.live.IPPools == nil {
		return ""
	}
	for k, name := range c.Networks {
		if mentions(c.Networks[:k+1], name) > e.live.IPPools[name] {
			return Reason("has no free address in network " + name)
		}
	}
	return ""
}

func mentions(names []string, name string) int64 {
	n := int64(0)
	for _, other := range names {
		if other == name {
			n++
		}
	}
	return n
}

func validateClaims(claims []Claim, m Mode) error {
	if m.TTL < 0 {
		return invalid("a reservation of %v is negative", m.TTL)
	}
	for i := range claims {
		c := &claims[i]
		if c.SetID == "" || c.HostID == "" {
			return invalid("a claim of set %q on host %q lacks an id", c.SetID, c.HostID)
		}
		for r, n := range c.Take {
			if n < 0 {
				return invalid("set %s claims a negative amount of %s", c.SetID, Resource(r))
			}
		}
	}
	return nil
}
