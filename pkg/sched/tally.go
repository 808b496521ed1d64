package sched

// tally counts the sets of one group by the values (domains) of one label.
type tally struct {
	group, by string
	own       bool    // the copies of the batch count too
	domain    []int32 // per host; -1 where the host has no such label
	count     []int   // per domain
	open      []bool  // per domain: a host that could take the set is in it
	least     int     // lowest count of the open domains
}

func newTally(r *run, group, by string) tally {
	t := tally{group: group, by: by, own: group == r.req.Set.Group, domain: make([]int32, len(r.hosts))}
	index := make(map[string]int32)
	for i := range r.hosts {
		h := r.hosts[i]
		value, ok := h.Label(by)
		if !ok {
			t.domain[i] = -1
			continue
		}
		d, seen := index[value]
		if !seen {
			d = int32(len(t.count))
			index[value] = d
			t.count, t.open = append(t.count, 0), append(t.open, false)
		}
		t.domain[i] = d
		t.open[d] = t.open[d] || r.eligible(h)
		if group != "" {
			t.count[d] += h.Groups[group]
		}
	}
	t.level()
	return t
}

// add counts one more copy on host i.
func (t *tally) add(i int) {
	d := t.domain[i]
	if !t.own || d < 0 {
		return
	}
	t.count[d]++
	if t.count[d]-1 == t.least {
		t.level()
	}
}

func (t *tally) level() {
	first := true
	for d, n := range t.count {
		if t.open[d] && (first || n < t.least) {
			t.least, first = n, false
		}
	}
}
