package sched

import (
	"context"
	"fmt"
	"math"
)

// scanner is the plain way to plan: it asks all plug-ins about all hosts. The
// index must come to the same plans.
type scanner struct {
	*run
	sums   [3][]float64 // by kind; valid where verdict is 0
	rescan bool         // a copy that is placed may change the answers about other hosts
}

func (r *scanner) prepare(ctx context.Context) error {
	r.start()
	r.rescan = r.again()
	return r.scan(ctx)
}

func (r *scanner) start() {
	n := len(r.f.hosts)
	r.verdict = make([]int32, n)
	for k := range r.sums {
		r.sums[k] = make([]float64, n)
	}
	r.tallies()
}

func (r *scanner) scan(ctx context.Context) error {
	for i := range r.f.hosts {
		if i%1024 == 1023 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.look(i); err != nil {
			return err
		}
	}
	return nil
}

// look asks the plug-ins about host i. Scores are summed by kind, because the
// index does: sums of floats depend on their order.
func (r *scanner) look(i int) (err error) {
	if r.judge(i); r.verdict[i] != 0 {
		return nil
	}
	for k := range r.sums {
		if r.sums[k][i], err = r.sum(i, kind(k)); err != nil {
			return err
		}
	}
	return nil
}

func (r *scanner) score(i int) float64 {
	return r.sums[kept][i] + r.sums[counted][i] + r.sums[asked][i]
}

// judge asks the filters about host i.
func (r *run) judge(i int) {
	r.verdict[i] = 0
	for k := range r.s.filters {
		if reason := r.filter(k, i); reason != "" {
			r.verdict[i] = r.refuse(k, reason)
			return
		}
	}
}

// filter asks filter k about host i.
func (r *run) filter(k, i int) Reason {
	switch {
	case r.filters[k] == skipped:
		return ""
	case r.leavesOut(k, i):
		return outside
	}
	r.enter(int32(k + 1))
	reason := r.s.filters[k].Filter(&r.req, HostView{r, i})
	r.calling = 0
	return reason
}

// sum is the score of host i by the scorers of one kind.
func (r *run) sum(i int, of kind) (float64, error) {
	sum := 0.0
	for k, s := range r.s.scorers {
		if r.scorers[k] != of {
			continue
		}
		r.enter(-int32(k + 1))
		x := s.Score(&r.req, HostView{r, i})
		if r.parts != nil {
			r.parts[k] = x
		}
		if sum += x; math.IsNaN(sum) || math.IsInf(sum, 0) {
			err := &PluginError{Plugin: r.s.name(r.calling), Problem: fmt.Sprintf("gave host %s a score of %v, which cannot be compared", r.f.hosts[i].ID, x)}
			r.calling = 0
			return 0, err
		}
	}
	r.calling = 0
	return sum, nil
}

// maxReasons bounds what a filter with a different reason for every host costs.
const maxReasons = 32

func (r *run) refuse(filter int, reason Reason) int32 {
	n := 0
	for k := range r.refusals {
		if r.refusals[k].filter != filter {
			continue
		}
		if n++; r.refusals[k].reason == reason {
			return int32(k + 1)
		}
	}
	const other Reason = "is refused for another reason"
	if n >= maxReasons && reason != other {
		return r.refuse(filter, other)
	}
	r.refusals = append(r.refusals, refusal{filter, reason})
	return int32(len(r.refusals))
}

// best is the host with the highest score, or -1.
func (r *scanner) best() (int, error) {
	best := -1
	for i, v := range r.verdict {
		if v == 0 && (best < 0 || r.better(i, best)) {
			best = i
		}
	}
	return best, nil
}

func (r *scanner) better(i, j int) bool {
	if r.f.own[i] != r.f.own[j] {
		return r.f.own[i]
	}
	if a, b := r.score(i), r.score(j); a != b {
		return a > b
	}
	// Rounding may have made equal what is not.
	if a, b := r.sums[kept][i], r.sums[kept][j]; a != b {
		return a > b
	}
	return r.f.before(int32(i), int32(j))
}

// take puts a copy on host i and looks again at what that may have changed.
func (r *scanner) take(ctx context.Context, i int, last bool) error {
	r.occupy(i)
	for k := range r.spread {
		r.spread[k].add(i)
	}
	for k := range r.apart {
		r.apart[k].add(i)
	}
	for k := range r.near {
		r.near[k].add(i)
	}
	switch {
	case last:
		return nil // every copy is placed: nobody asks any more
	case r.rescan:
		return r.scan(ctx)
	}
	return r.look(i)
}

// top is the few best hosts.
func (r *scanner) top() ([]ranked, error) {
	var best []int
	for i, v := range r.verdict {
		if v == 0 {
			best = insert(best, i, r.better)
		}
	}
	list := make([]ranked, len(best))
	for k, i := range best {
		list[k] = ranked{i, r.score(i)}
	}
	return list, nil
}

// judgeAll has nothing to do: take has looked again at what changed.
func (r *scanner) judgeAll() {}

func (r *scanner) restore() {}
