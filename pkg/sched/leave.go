package sched

import "maps"

// leave takes a claim off a host whose maps are its own: it is the opposite of
// what a Ledger does to the host of a claim.
func (h *Host) leave(c *Claim) {
	for r, n := range c.Take {
		h.Used[r] = max(0, h.Used[r]-n)
	}
	if c.Group != "" && h.Groups[c.Group] > 0 {
		h.Groups[c.Group]--
	}
	for _, name := range c.Networks {
		if n, ok := h.IPPools[name]; ok {
			h.IPPools[name] = n + 1
		}
	}
}

// comeBack undoes leave; was is the host before anything left it.
func (h *Host) comeBack(c *Claim, was *Host) {
	for r, n := range c.Take {
		h.Used[r] += n
	}
	if n := h.Groups[c.Group]; c.Group != "" && n < was.Groups[c.Group] {
		h.Groups[c.Group] = n + 1
	}
	for _, name := range c.Networks {
		if n, ok := h.IPPools[name]; ok {
			h.IPPools[name] = n - 1
		}
	}
}

// ownMaps makes the maps that leave changes safe to change.
func (h *Host) ownMaps() { h.Groups, h.IPPools = maps.Clone(h.Groups), maps.Clone(h.IPPools) }

// replace has another host stand for host i, which must have its labels. The
// fleet must be the run's own.
func (r *run) replace(i int, h *Host) {
	old := r.f.hosts[i]
	r.f.hosts[i] = h
	for k, n := range r.f.alloc[i] {
		r.f.free[i][k] = n - h.Used[k]
	}
	for k := range r.spread {
		r.spread[k].shift(i, old, h)
	}
	for k := range r.apart {
		r.apart[k].shift(i, old, h)
	}
	for k := range r.near {
		r.near[k].all += r.near[k].shift(i, old, h)
	}
}

// shift counts the sets of host i as they are now, and is by how many the count
// grew.
func (t *tally) shift(i int, old, now *Host) int {
	n := now.Groups[t.group] - old.Groups[t.group]
	if n == 0 || t.group == "" || t.of[i] < 0 {
		return 0
	}
	t.count[t.of[i]] += n
	t.level()
	return n
}
