package sched

import "sort"

// Explanation says why hosts were refused, and which were best.
type Explanation struct {
	// Hosts is the number of hosts looked at, Fit how many of them could take
	// the next copy.
	Hosts, Fit int
	// ByFilter counts the refused hosts by the first filter that refused
	// them and its reason, most hosts first. It is empty when every copy was
	// placed.
	ByFilter []Count
	// Exhausted are the resources that hosts which passed the filters before
	// have too little of. A host short of two is in both.
	Exhausted []Shortage
	// Nearest are the hosts that miss the least resources, at most three.
	Nearest []Near
	// TopScores are the best hosts for the first copy, at most three.
	TopScores []TopScore
}

// Count is a number of hosts refused for one reason.
type Count struct {
	Filter string
	Reason Reason
	Hosts  int
}

// Shortage is one resource that Hosts hosts have too little of.
type Shortage struct {
	Resource Resource
	Hosts    int
	Need     int64 // what one copy needs
	MostFree int64 // the most any of these hosts has free
}

// Near is a host that misses only resources.
type Near struct {
	HostID  string
	Missing Vector
}

// TopScore is a host's score and what each scorer gave it.
type TopScore struct {
	HostID string
	Score  float64
	Parts  []ScorePart
}

// ScorePart is the score by one scorer.
type ScorePart struct {
	Scorer string
	Score  float64
}

const examples = 3

// explain fills in the counts after a copy had no host.
func (r *run) explain(why *Explanation) {
	counts := make([]int, len(r.refusals))
	for _, v := range r.verdict {
		if v == 0 {
			why.Fit++
			continue
		}
		counts[v-1]++
	}
	for k, n := range counts {
		if n > 0 {
			f := r.refusals[k]
			why.ByFilter = append(why.ByFilter, Count{r.s.filterNames[f.filter], f.reason, n})
		}
	}
	// Order must not depend on that of the hosts, so ties go by the words.
	sort.Slice(why.ByFilter, func(a, b int) bool {
		x, y := why.ByFilter[a], why.ByFilter[b]
		if x.Hosts != y.Hosts {
			return x.Hosts > y.Hosts
		}
		return x.Reason < y.Reason || x.Reason == y.Reason && x.Filter < y.Filter
	})
	r.shortages(why)
}

// shortages looks at the hosts that only lack resources.
func (r *run) shortages(why *Explanation) {
	var short [NumResources]Shortage
	var near []int
	for i, v := range r.verdict {
		if v == 0 || !r.refusedByResources(v) {
			continue
		}
		near = insert(near, i, r.nearer)
		for k, need := range r.req.Set.Need {
			if free := r.f.free[i][k]; need > 0 && need > free {
				s := &short[k]
				if s.Hosts == 0 || free > s.MostFree {
					s.MostFree = free
				}
				s.Resource, s.Need = Resource(k), need
				s.Hosts++
			}
		}
	}
	for _, s := range short {
		if s.Hosts > 0 {
			why.Exhausted = append(why.Exhausted, s)
		}
	}
	for _, i := range near {
		why.Nearest = append(why.Nearest, Near{r.f.hosts[i].ID, r.missing(i)})
	}
}

func (r *run) refusedByResources(verdict int32) bool {
	_, ok := r.s.filters[r.refusals[verdict-1].filter].(ResourceFilter)
	return ok
}

func (r *run) missing(i int) Vector {
	var m Vector
	for k, need := range r.req.Set.Need {
		if need > 0 {
			m[k] = max(0, need-max(0, r.f.free[i][k]))
		}
	}
	return m
}

// nearer compares the parts of the need that are missing, summed.
func (r *run) nearer(i, j int) bool {
	a, b := r.lack(i), r.lack(j)
	return a < b || a == b && r.f.hosts[i].ID < r.f.hosts[j].ID
}

func (r *run) lack(i int) float64 {
	sum := 0.0
	for k, m := range r.missing(i) {
		if m > 0 {
			sum += float64(m) / float64(r.req.Set.Need[k])
		}
	}
	return sum
}

// insert keeps the few first hosts by less.
func insert(list []int, i int, less func(a, b int) bool) []int {
	if len(list) == examples && !less(i, list[examples-1]) {
		return list
	}
	at := sort.Search(len(list), func(k int) bool { return less(i, list[k]) })
	list = append(list, 0)
	copy(list[at+1:], list[at:])
	list[at] = i
	return list[:min(len(list), examples)]
}

// ranked is a host and its score.
type ranked struct {
	host  int
	score float64
}

// describe notes the best hosts and asks their scorers once more for the parts.
func (r *run) describe(why *Explanation, best []ranked) {
	for _, b := range best {
		t := TopScore{HostID: r.f.hosts[b.host].ID, Score: b.score, Parts: make([]ScorePart, len(r.s.scorers))}
		for k, s := range r.s.scorers {
			r.enter(-int32(k + 1))
			t.Parts[k] = ScorePart{r.s.scorerNames[k], s.Score(&r.req, HostView{r, b.host})}
		}
		r.calling = 0
		why.TopScores = append(why.TopScores, t)
	}
}
