package sched

import "sync/atomic"

// run is the working state of one Plan. What the batch changes in the fleet
// is put back at the end.
type run struct {
	s     *Scheduler
	f     *fleet
	n     int
	batch *Batch
	req   Request

	calling int32        // the plug-in being called: filter k as k+1, scorer k as -k-1
	last    atomic.Int32 // the plug-in of somebody else called last, for one that hangs
	taken   []int32
	parts   []float64 // when set, sum notes each scorer's score

	filters, scorers []kind
	scopes           [][]bool // of filters, by host; nil where there is none

	// Of the scan over all hosts, and of explanations.
	verdict  []int32 // 0 fits, else 1 + index into refusals
	refusals []refusal

	networks      []mention
	spread, apart []tally
	near          []nearRule
	avoid         []string
	words         words
}

type refusal struct {
	filter int
	reason Reason
}

type mention struct {
	name string
	n    int64
}

func newRun(s *Scheduler, f *fleet, b *Batch) *run {
	r := &run{s: s, f: f, n: max(1, b.N), batch: b}
	r.req = Request{Set: b.Set, r: r}
	set := &r.req.Set
	for _, name := range set.Networks {
		r.mention(name)
	}
	if len(set.AntiAffinity) > 0 {
		set.AntiAffinity = fillIn(set.AntiAffinity, set.Group)
	}
	for _, a := range set.AntiAffinity {
		if a.By == "host" && a.Group != "" {
			r.avoid = append(r.avoid, a.Group)
		}
	}
	r.words = newWords(r)
	return r
}

// fillIn writes out what an empty Group and By mean.
func fillIn(rules []AntiAffinity, group string) []AntiAffinity {
	full := make([]AntiAffinity, len(rules))
	for k, a := range rules {
		if a.Group == "" {
			a.Group = group
		}
		if a.By == "" {
			a.By = "host"
		}
		full[k] = a
	}
	return full
}

// tallies makes the counts that the group plug-ins read, as they are now.
func (r *run) tallies() {
	set := &r.req.Set
	r.spread, r.apart = r.spread[:0], r.apart[:0]
	for _, s := range set.Spread {
		r.spread = append(r.spread, r.spreadTally(s))
	}
	for _, a := range set.AntiAffinity {
		r.apart = append(r.apart, newTally(r, a.Group, a.By, nil))
	}
	r.near = r.nearRules()
}

func (r *run) spreadTally(s Spread) tally {
	if s.Hard {
		return newTally(r, r.req.Set.Group, s.By, r.openValues(s.By))
	}
	return newTally(r, r.req.Set.Group, s.By, nil)
}

func (r *run) mention(name string) {
	for k := range r.networks {
		if r.networks[k].name == name {
			r.networks[k].n++
			return
		}
	}
	r.networks = append(r.networks, mention{name, 1})
}

func (r *run) mentions(name string) int64 {
	for _, nw := range r.networks {
		if nw.name == name {
			return nw.n
		}
	}
	return 0
}

// eligible reports whether the host may take the set at all, room aside.
func (r *run) eligible(h *Host) bool {
	if h.State != Ready {
		return false
	}
	for k := range r.req.Set.Require {
		if !r.req.Set.Require[k].Matches(h) {
			return false
		}
	}
	return true
}

// occupy puts a copy on host i.
func (r *run) occupy(i int) {
	for k, n := range r.req.Set.Need {
		r.f.free[i][k] -= n
	}
	r.f.placed[i]++
	r.taken = append(r.taken, int32(i))
}

// vacate takes all copies off again.
func (r *run) vacate() {
	for _, i := range r.taken {
		for k, n := range r.req.Set.Need {
			r.f.free[i][k] += n
		}
		r.f.placed[i]--
	}
	r.taken = r.taken[:0]
}

func (r *run) claim(k, host int) Claim {
	h := r.f.hosts[host]
	return Claim{
		SetID: r.batch.copyID(k), Group: r.req.Set.Group, HostID: h.ID, HostVersion: h.Version,
		Take: r.req.Set.Need, Networks: r.req.Set.Networks, Avoid: r.avoid,
	}
}
