package sched

import (
	"maps"
	"math"
)

// entry is a host as last put, and the same with the claims on it. live is
// shared with the snapshots taken since round; before a change in a later
// round it is copied. The maps of live are its own when the flags say so.
type entry struct {
	base Host
	live *Host
	sets map[string]bool // ids of the sets with a claim here
	at   int             // place in Ledger.fleet, while Ledger.order holds

	round              uint64
	ownGroups, ownPool bool
}

// open makes live safe to change in this round.
func (e *entry) open(round uint64) {
	if e.live != nil && e.round == round {
		return
	}
	var h Host
	if e.live != nil {
		h = *e.live
	}
	e.live, e.round, e.ownGroups, e.ownPool = &h, round, false, false
}

// apply adds a claim to the live host, which must be open.
func (e *entry) apply(c *Claim) {
	for r, n := range c.Take {
		e.live.Used[r] = addCapped(e.live.Used[r], n)
	}
	if c.Group != "" {
		e.joinGroup(c.Group)
	}
	if e.live.IPPools != nil && len(c.Networks) > 0 {
		e.takeAddresses(c.Networks)
	}
}

func (e *entry) joinGroup(group string) {
	if !e.ownGroups {
		e.live.Groups, e.ownGroups = maps.Clone(e.live.Groups), true
	}
	if e.live.Groups == nil {
		e.live.Groups = make(map[string]int)
	}
	e.live.Groups[group]++
}

func (e *entry) takeAddresses(networks []string) {
	if !e.ownPool {
		e.live.IPPools, e.ownPool = maps.Clone(e.live.IPPools), true
	}
	for _, name := range networks {
		if n, ok := e.live.IPPools[name]; ok {
			e.live.IPPools[name] = max(0, n-1)
		}
	}
}

func addCapped(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
