package sched

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// recheck asks again about a few hosts whose answers were kept, and names the
// plug-in that has changed its mind.
func (c *class) recheck(r *run) error {
	c.checks++
	rng := rand.New(rand.NewPCG(r.s.seed, c.checks))
	for range min(r.s.check, len(c.score)) {
		if err := c.askAgain(r, rng.IntN(len(c.score))); err != nil {
			return err
		}
	}
	return nil
}

func (c *class) askAgain(r *run, i int) error {
	score, filter, reason := c.score[i], c.refusedBy(r, i), c.reason(i)
	parts := slices.Clone(c.partsOf(r, i))
	if err := c.ask(r, i); err != nil {
		return err
	}
	now, why := c.refusedBy(r, i), c.reason(i)
	if now != filter || why != reason {
		return c.lie(r, i, int32(min(now, filter)+1))
	}
	for k, x := range c.partsOf(r, i) {
		if x != parts[k] && score != refused {
			return c.lie(r, i, -int32(k+1))
		}
	}
	return nil
}

// refusedBy is the first filter to refuse host i, or the number of filters.
func (c *class) refusedBy(r *run, i int) int {
	if c.verdict[i] == 0 {
		return len(r.s.filters)
	}
	return c.refusals[c.verdict[i]-1].filter
}

func (c *class) reason(i int) Reason {
	if c.verdict[i] == 0 {
		return ""
	}
	return c.refusals[c.verdict[i]-1].reason
}

// partsOf is room for the score of each scorer, in checking mode only.
func (c *class) partsOf(r *run, i int) []float64 {
	if r.s.check <= 0 {
		return nil
	}
	n := len(r.s.scorers)
	if len(c.parts) != n*len(c.score) {
		c.parts = make([]float64, n*len(c.score))
	}
	return c.parts[i*n : (i+1)*n]
}

func (c *class) lie(r *run, i int, plugin int32) error {
	return &PluginError{Plugin: r.s.name(plugin), Fault: Lied, Problem: fmt.Sprintf(
		"declares OnHost, but its answer about host %s changed while the host did not", r.f.hosts[i].ID)}
}
