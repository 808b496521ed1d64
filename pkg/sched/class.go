package sched

import (
	"context"
	"math"
	"slices"
)

// class is what the plug-ins say of every host for sets alike (see appendKey),
// counts of groups aside, and a winner tree over it for each block. It takes
// 14 bytes for a host: an 8-byte score, a 2-byte verdict, a 4-byte tree node.
type class struct {
	key      string
	used     uint64 // last time, by the clock of classes
	shareEra uint64
	position uint64 // in the change log

	score    []float64 // refused where a filter does
	verdict  []uint16  // 0 fits, else 1 + index into refusals
	refusals []refusal
	node     []int32   // trees: node k of block b is node[start+k], see winner
	root     []int32   // the winner of each block
	top      []float64 // and its score

	parts  []float64 // see partsOf
	checks uint64

	open     map[string][]bool // by label: see openValues
	openEras [2]uint64
}

// refused is the score of a host that a filter refuses; real ones are finite.
var refused = math.Inf(-1)

// rebuild asks about every host.
func (c *class) rebuild(ctx context.Context, r *run) error {
	n := len(r.f.hosts)
	if len(c.score) != n || len(c.root) != len(r.f.blocks) {
		c.score, c.verdict, c.node = make([]float64, n), make([]uint16, n), make([]int32, n)
		c.root, c.top = make([]int32, len(r.f.blocks)), make([]float64, len(r.f.blocks))
	}
	c.refusals, c.open = c.refusals[:0], nil
	for i := range n {
		if i%1024 == 1023 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := c.ask(r, i); err != nil {
			return err
		}
	}
	for b := range r.f.blocks {
		c.plant(r.f, b)
	}
	c.position, c.shareEra = r.f.log.end(), r.f.shareEra
	return nil
}

// ask has the plug-ins judge host i.
func (c *class) ask(r *run, i int) error {
	for k, f := range r.s.filters {
		if r.filters[k] != kept {
			continue
		}
		r.enter(int32(k + 1))
		if reason := f.Filter(&r.req, HostView{r, i}); reason != "" {
			r.calling = 0
			c.score[i], c.verdict[i] = refused, c.refuse(r, k, reason)
			return nil
		}
	}
	r.parts = c.partsOf(r, i)
	sum, err := r.sum(i, kept)
	r.parts = nil
	c.score[i], c.verdict[i] = sum, 0
	return err
}

// try asks about host i, and forgets the answer.
func (c *class) try(r *run, i int) (score float64, verdict uint16, err error) {
	score, verdict = c.score[i], c.verdict[i]
	parts := slices.Clone(c.partsOf(r, i))
	err = c.ask(r, i)
	copy(c.partsOf(r, i), parts)
	c.score[i], score = score, c.score[i]
	c.verdict[i], verdict = verdict, c.verdict[i]
	return score, verdict, err
}

func (c *class) refuse(r *run, filter int, reason Reason) uint16 {
	mine := r.refusals
	r.refusals = c.refusals
	code := r.refuse(filter, reason)
	c.refusals, r.refusals = r.refusals, mine
	return uint16(code)
}

// follow asks again about the hosts that changed since the last time.
func (c *class) follow(ctx context.Context, r *run) error {
	changes, known := r.f.log.since(c.position)
	if !known || len(changes) > len(r.f.hosts)/2+8 || c.shareEra != r.f.shareEra {
		return c.rebuild(ctx, r)
	}
	var err error
	for _, i := range changes {
		if r.f.touched[i] || err != nil {
			continue
		}
		r.f.touched[i] = true
		old := c.score[i]
		if err = c.ask(r, int(i)); err == nil && c.score[i] != old {
			c.climb(r.f, i)
		}
	}
	for _, i := range changes {
		r.f.touched[i] = false
	}
	c.position = r.f.log.end()
	return err
}

// A block of m hosts has a tree of m-1 nodes, 1 to m-1. The children of node k
// are 2k and 2k+1; from m on they are the hosts of the block in their order.

func (c *class) child(b *block, k int) int32 {
	if k >= len(b.hosts) {
		return b.hosts[k-len(b.hosts)]
	}
	return c.node[b.start+k]
}

// winner is the better host of two.
func (c *class) winner(f *fleet, i, j int32) int32 {
	x, y := c.score[i], c.score[j]
	if x > y || x == y && f.before(i, j) {
		return i
	}
	return j
}

// plant makes the tree of block n.
func (c *class) plant(f *fleet, n int) {
	b := &f.blocks[n]
	for k := len(b.hosts) - 1; k > 0; k-- {
		c.node[b.start+k] = c.winner(f, c.child(b, 2*k), c.child(b, 2*k+1))
	}
	c.crown(f, n)
}

// climb brings the tree up to date with the score of host i.
func (c *class) climb(f *fleet, i int32) {
	n := f.blockOf[i]
	b := &f.blocks[n]
	for k := (len(b.hosts) + int(f.seat[i])) / 2; k > 0; k /= 2 {
		w := c.winner(f, c.child(b, 2*k), c.child(b, 2*k+1))
		if w == c.node[b.start+k] && w != i {
			return // i was not the winner here and is not now
		}
		c.node[b.start+k] = w
	}
	c.crown(f, int(n))
}

func (c *class) crown(f *fleet, n int) {
	b := &f.blocks[n]
	c.root[n] = c.child(b, 1)
	c.top[n] = c.score[c.root[n]]
}

// set changes the score of host i.
func (c *class) set(f *fleet, i int32, score float64) {
	if c.score[i] != score {
		c.score[i] = score
		c.climb(f, i)
	}
}

// values are the openValues of the class.
func (c *class) values(r *run, by string) []bool {
	if eras := [2]uint64{r.f.labelEra, r.f.stateEra}; c.open == nil || c.openEras != eras {
		c.open, c.openEras = make(map[string][]bool), eras
	}
	open, ok := c.open[by]
	if !ok {
		open = r.openValues(by)
		c.open[by] = open
	}
	return open
}
