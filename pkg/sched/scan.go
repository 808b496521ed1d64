package sched

import (
	"context"
	"fmt"
	"math"
)

// prepare asks the plug-ins for their names and dependencies and looks at
// every host once.
func (r *run) prepare(ctx context.Context) error {
	for k, f := range r.s.filters {
		r.calling = fmt.Sprintf("filter %d", k)
		if f == nil {
			return fmt.Errorf("%s is nil: %w", r.calling, ErrPlugin)
		}
		r.filterNames = append(r.filterNames, "filter "+f.Name())
		r.again = r.again || depends(f, &r.req) != OnHost
	}
	for k, s := range r.s.scorers {
		r.calling = fmt.Sprintf("scorer %d", k)
		if w, ok := s.(Weighted); s == nil || ok && w.Scorer == nil {
			return fmt.Errorf("%s is nil: %w", r.calling, ErrPlugin)
		}
		r.scorerNames = append(r.scorerNames, "scorer "+s.Name())
		r.again = r.again || depends(s, &r.req) != OnHost
	}
	r.calling = ""
	return r.scan(ctx)
}

func (r *run) scan(ctx context.Context) error {
	for i := range r.hosts {
		if i%1024 == 1023 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.look(i); err != nil {
			return err
		}
	}
	return nil
}

// look asks the plug-ins about host i.
func (r *run) look(i int) error {
	v := HostView{r, i}
	for k, f := range r.s.filters {
		r.calling = r.filterNames[k]
		if reason := f.Filter(&r.req, v); reason != "" {
			r.verdict[i] = r.refuse(k, reason)
			r.calling = ""
			return nil
		}
	}
	sum := 0.0
	for k, s := range r.s.scorers {
		r.calling = r.scorerNames[k]
		x := s.Score(&r.req, v)
		sum += x
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			name := r.calling
			r.calling = ""
			return fmt.Errorf("%s gave host %s a score of %v, which cannot be compared: %w", name, v.ID(), x, ErrPlugin)
		}
	}
	r.calling = ""
	r.verdict[i], r.score[i] = 0, sum
	return nil
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
func (r *run) best() int {
	best := -1
	for i, v := range r.verdict {
		if v == 0 && (best < 0 || r.score[i] > r.score[best] || r.score[i] == r.score[best] && r.before(i, best)) {
			best = i
		}
	}
	return best
}

// before breaks a tie between two hosts of the same score.
func (r *run) before(i, j int) bool {
	if r.tie != nil && r.tie[i] != r.tie[j] {
		return r.tie[i] < r.tie[j]
	}
	return i < j
}

// take puts a copy on host i and looks again at what that may have changed.
func (r *run) take(ctx context.Context, i int, last bool) error {
	for k, n := range r.req.Set.Need {
		r.free[i][k] -= n
	}
	r.placed[i]++
	for k := range r.spread {
		r.spread[k].add(i)
	}
	for k := range r.apart {
		r.apart[k].add(i)
	}
	switch {
	case last:
		return nil
	case r.again:
		return r.scan(ctx)
	}
	return r.look(i)
}
