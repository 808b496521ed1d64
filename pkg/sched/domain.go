package sched

// domain is the hosts by their value of one label.
type domain struct {
	by     string
	era    uint64  // of the labels it was made from
	of     []int32 // number of the value, by host; -1 without the label
	values int
	// block is the value of each block, when all hosts of each block agree:
	// then a rule by this label needs no look at single hosts.
	block []int32
}

// domain is made once for each label and fleet.
func (f *fleet) domain(by string) *domain {
	d := f.domains[by]
	if d == nil || d.era != f.labelEra {
		d = f.newDomain(by)
		f.domains[by] = d
	}
	return d
}

func (f *fleet) newDomain(by string) *domain {
	d := &domain{by: by, era: f.labelEra, of: make([]int32, len(f.hosts))}
	index := make(map[string]int32)
	for i, h := range f.hosts {
		value, ok := h.Label(by)
		if !ok {
			d.of[i] = -1
			continue
		}
		v, seen := index[value]
		if !seen {
			v = int32(d.values)
			index[value] = v
			d.values++
		}
		d.of[i] = v
	}
	d.align(f)
	return d
}

func (d *domain) align(f *fleet) {
	block := make([]int32, len(f.blocks))
	for b := range f.blocks {
		hosts := f.blocks[b].hosts
		block[b] = d.of[hosts[0]]
		for _, i := range hosts {
			if d.of[i] != block[b] {
				return
			}
		}
	}
	d.block = block
}

// tally counts the sets of one group by the values of one label, those of the
// running batch among them.
type tally struct {
	*domain
	group string
	own   bool   // the copies of the batch count too
	count []int  // per value
	open  []bool // per value: a host that could take the set has it
	least int    // lowest count of the open values
}

// newTally counts what is on the fleet now. open is nil where no level is
// asked for.
func newTally(r *run, group, by string, open []bool) tally {
	d := r.f.domain(by)
	t := tally{domain: d, group: group, own: group == r.req.Set.Group, count: make([]int, d.values), open: open}
	if group != "" {
		for i, n := range r.f.groups[group] {
			t.plus(i, int(n))
		}
	}
	if t.own {
		for _, i := range r.taken {
			t.plus(i, 1)
		}
	}
	t.level()
	return t
}

func (t *tally) plus(i int32, n int) {
	if v := t.of[i]; v >= 0 {
		t.count[v] += n
	}
}

// add counts one more copy on host i, and reports whether the level rose.
func (t *tally) add(i int) bool {
	v := t.of[i]
	if !t.own || v < 0 {
		return false
	}
	t.count[v]++
	if t.open == nil || t.count[v]-1 != t.least {
		return false
	}
	old := t.least
	t.level()
	return t.least != old
}

func (t *tally) level() {
	first := true
	for v, open := range t.open {
		if n := t.count[v]; open && (first || n < t.least) {
			t.least, first = n, false
		}
	}
}

// openValues marks the values that a host which may take the set has.
func (r *run) openValues(by string) []bool {
	d := r.f.domain(by)
	open := make([]bool, d.values)
	for i, h := range r.f.hosts {
		if v := d.of[i]; v >= 0 && !open[v] && r.eligible(h) {
			open[v] = true
		}
	}
	return open
}
