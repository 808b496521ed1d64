package sched

import "hash/fnv"

// run is the working state of one Plan. The hosts are the caller's and are
// only read; what the batch changes lives in slices beside them, made once, so
// that looking at a host allocates nothing.
type run struct {
	s      *Scheduler
	hosts  []Host
	sorted bool
	n      int
	batch  Batch
	req    Request

	filterNames, scorerNames []string
	calling                  string // the plug-in being called, for a panic

	alloc, free []Vector
	placed      []int32   // copies of the batch on each host
	score       []float64 // valid where verdict is 0
	verdict     []int32   // 0 fits, else 1 + index into refusals
	tie         []uint64  // nil with seed 0
	refusals    []refusal
	again       bool // a plug-in depends on more than the host: rescan for each copy

	share, mean   [NumResources]float64
	networks      []mention
	spread, apart []tally
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

func newRun(s *Scheduler, snap Snapshot, b Batch) (*run, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	sorted, err := validateHosts(snap.Hosts)
	if err != nil {
		return nil, err
	}
	n := len(snap.Hosts)
	r := &run{
		s: s, hosts: snap.Hosts, sorted: sorted, n: max(1, b.N), batch: b,
		alloc: make([]Vector, n), free: make([]Vector, n),
		placed: make([]int32, n), score: make([]float64, n), verdict: make([]int32, n),
	}
	r.req = Request{Set: b.Set, r: r}
	r.measure()
	r.compile()
	r.words = newWords(r)
	return r, nil
}

// measure works out the free amounts, how scarce each resource is, and the
// order of ties.
func (r *run) measure() {
	ready, have := 0, [NumResources]int{}
	for i := range r.hosts {
		h := &r.hosts[i]
		r.alloc[i] = h.Allocatable()
		r.free[i] = r.alloc[i]
		for k := range r.free[i] {
			r.free[i][k] -= h.Used[k]
		}
		if h.State != Ready {
			continue
		}
		ready++
		for k, n := range r.alloc[i] {
			if n > 0 {
				have[k]++
			}
		}
	}
	for k := range r.share {
		r.share[k] = float64(have[k]) / float64(max(1, ready))
	}
	r.mean = means(r.hosts, r.alloc)
	if r.s.seed != 0 {
		r.shuffle()
	}
}

func (r *run) shuffle() {
	r.tie = make([]uint64, len(r.hosts))
	f := fnv.New64a()
	for i := range r.hosts {
		f.Reset()
		_, _ = f.Write([]byte(r.hosts[i].ID)) // never fails
		x := f.Sum64() ^ r.s.seed*0x9e3779b97f4a7c15
		// The finaliser of splitmix64: FNV alone leaves like ids in like order.
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		r.tie[i] = x ^ x>>31
	}
}

// compile turns the set's rules into tallies and counts.
func (r *run) compile() {
	set := &r.req.Set
	for _, name := range set.Networks {
		r.mention(name)
	}
	for _, s := range set.Spread {
		r.spread = append(r.spread, newTally(r, set.Group, s.By))
	}
	for _, a := range set.AntiAffinity {
		if a.Group == "" {
			a.Group = set.Group
		}
		if a.By == "" {
			a.By = "host"
		}
		r.apart = append(r.apart, newTally(r, a.Group, a.By))
		if a.By == "host" && a.Group != "" {
			r.avoid = append(r.avoid, a.Group)
		}
	}
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
	for _, s := range r.req.Set.Require {
		if !s.Matches(h) {
			return false
		}
	}
	return true
}
