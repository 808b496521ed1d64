package sched

import "context"

// index plans by the class of the set. Rules on groups lie over it for the one
// batch: those that hold for whole blocks over the winners of the trees, those
// that hold for a host as a changed score. Where a rule is by a label that
// cuts through blocks, the scores of all hosts are gone through instead.
type index struct {
	*run
	c     *class
	saved []savedScore // of the hosts touched, to put back
	hard  []hardRule
	soft  []tally    // of all spreads, when a scorer asks for them
	apart []tally    // rules by more than the host
	close []nearRule // hard affinity
	wish  bool       // soft affinity, of run.near
	mask  []string
	shut  []bool    // by block
	extra []float64 // by block

	dense     bool    // every host has to be looked at for every copy
	rules     bool    // there are rules on groups
	hosts     []int32 // those in question, or nil
	ask, rate []int   // filters and scorers that are asked for every copy
	leading   []candidate
}

type savedScore struct {
	host  int32
	score float64
}

func (x *index) prepare(ctx context.Context) (err error) {
	if x.c, err = x.class(ctx); err != nil {
		return err
	}
	x.compile()
	x.question()
	if x.dense || !x.rules {
		return nil
	}
	x.shut, x.extra = make([]bool, len(x.f.blocks)), make([]float64, len(x.f.blocks))
	for b := range x.f.blocks {
		x.weigh(b)
	}
	return nil
}

// question finds the plug-ins that are asked for every copy, and the hosts they are asked about.
func (x *index) question() {
	for k, kind := range x.filters {
		if kind == asked {
			x.ask = append(x.ask, k)
		}
	}
	for k, kind := range x.scorers {
		if kind == asked {
			x.rate = append(x.rate, k)
		}
	}
	x.hosts = x.within()
	x.rules = x.wish || len(x.hard)+len(x.soft)+len(x.apart)+len(x.close) > 0
	x.dense = x.dense || x.hosts != nil || len(x.ask)+len(x.rate) > 0
}

// save changes the score of a host for this batch.
func (x *index) save(i int32, score float64) {
	if !x.f.touched[i] {
		x.f.touched[i] = true
		x.saved = append(x.saved, savedScore{i, x.c.score[i]})
	}
	x.c.set(x.f, i, score)
}

// restore makes the class what it was.
func (x *index) restore() {
	for _, s := range x.saved {
		x.f.touched[s.host] = false
		x.c.set(x.f, s.host, s.score)
	}
	x.saved = x.saved[:0]
}

// best is the host with the highest score, or -1.
func (x *index) best() (int, error) {
	if x.dense {
		if err := x.lead(1); err != nil || len(x.leading) == 0 {
			return -1, err
		}
		return int(x.leading[0].host), nil
	}
	return x.bestByTree(), nil
}

func (x *index) bestByTree() int {
	if best := x.bestOfBlocks(true); best >= 0 {
		return best
	}
	return x.bestOfBlocks(false)
}

// bestOfBlocks looks at the blocks of the scheduler's own shard, or at others.
func (x *index) bestOfBlocks(own bool) int {
	best, total, base := int32(-1), refused, refused
	for b, score := range x.c.top {
		if score == refused || x.f.blocks[b].own != own {
			continue
		}
		sum := score
		if x.shut != nil {
			if x.shut[b] {
				continue
			}
			sum += x.extra[b]
		}
		if sum < total {
			continue
		}
		if i := x.c.root[b]; sum > total || score > base || score == base && x.f.before(i, best) {
			best, total, base = i, sum, score
		}
	}
	return int(best)
}

// take puts a copy on host i.
func (x *index) take(_ context.Context, i int, last bool) error {
	x.occupy(i)
	if last {
		return nil
	}
	now, _, err := x.c.try(x.run, i)
	if err != nil {
		return err
	}
	for _, group := range x.mask {
		if group == x.req.Set.Group {
			now = refused
		}
	}
	x.save(int32(i), now)
	x.count(i)
	return nil
}

// top is the few best hosts.
func (x *index) top() ([]ranked, error) {
	if !x.dense {
		return x.topByTree(), nil
	}
	if err := x.lead(examples); err != nil {
		return nil, err
	}
	list := make([]ranked, len(x.leading))
	for k, c := range x.leading {
		list[k] = ranked{int(c.host), c.sum}
	}
	return list, nil
}

// topByTree puts each host aside to see the next.
func (x *index) topByTree() []ranked {
	var list []ranked
	var hidden []savedScore
	for len(list) < examples {
		i := x.bestByTree()
		if i < 0 {
			break
		}
		sum := x.c.score[i]
		if x.extra != nil {
			sum += x.extra[x.f.blockOf[i]]
		}
		list = append(list, ranked{i, sum})
		hidden = append(hidden, savedScore{int32(i), x.c.score[i]})
		x.c.set(x.f, int32(i), refused)
	}
	for _, h := range hidden {
		x.c.set(x.f, h.host, h.score)
	}
	return list
}

// judgeAll works out the verdicts for an explanation: those kept, unless a
// rule on groups comes first.
func (x *index) judgeAll() {
	x.restore()
	x.verdict = make([]int32, len(x.f.hosts))
	x.tallies()
	for i := range x.verdict {
		x.verdict[i] = x.judgement(i, x.c.verdict[i])
	}
	for _, i := range x.taken { // the class does not know of the copies
		if _, code, err := x.c.try(x.run, int(i)); err == nil {
			x.verdict[i] = x.judgement(int(i), code)
		}
	}
}

// judgement is the verdict on host i, of which the class says code.
func (x *index) judgement(i int, code uint16) int32 {
	last := len(x.s.filters)
	if code > 0 {
		last = x.c.refusals[code-1].filter
	}
	for k := range last {
		if x.filters[k] == kept && !x.leavesOut(k, i) {
			continue // it has been asked
		}
		if reason := x.filter(k, i); reason != "" {
			return x.refuse(k, reason)
		}
	}
	switch {
	case code == 0:
		return 0
	case x.leavesOut(last, i):
		return x.refuse(last, outside)
	}
	return x.refuse(last, x.c.refusals[code-1].reason)
}
