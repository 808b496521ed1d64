package sim

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moset/moset/pkg/sched"
)

// Planner is a policy under trial; *sched.Scheduler is one.
type Planner interface {
	Plan(ctx context.Context, s sched.Snapshot, b sched.Batch) (sched.Plan, error)
}

// Trial is one policy on one fleet.
type Trial struct {
	Hosts    []sched.Host
	Requests []Request // sorted by At
	Planner  Planner
}

// Outcome is what a trial came to, before it is measured.
type Outcome struct {
	// Placed are the indices of the requests that got all their sets.
	Placed []int
	// Plans are the times the plans took, in the order of the requests.
	Plans []time.Duration
	// Peak is the fleet when most of its most used resource was taken; Held is what the sets had been given then.
	Peak []sched.Host
	Held sched.Vector
	// Asked is the work of all requests and Given that of the placed ones, where the work of a request is the
	// largest part of what the fleet has of a resource that it needs.
	Asked, Given float64
	load         float64
}

// Replay places each request at its time, or refuses it for good. A request whose sets do not all fit is not
// placed. The error is that of bad input, of a plug-in, or of a policy whose plan the ledger refuses.
func Replay(ctx context.Context, t Trial) (Outcome, error) {
	s := &state{ledger: sched.NewLedger(sched.LedgerConfig{}), held: map[int]Request{}}
	for _, h := range t.Hosts {
		if err := s.ledger.Put(h); err != nil {
			return Outcome{}, fmt.Errorf("set up the fleet: %w", err)
		}
		s.total = s.total.Plus(h.Allocatable())
	}
	for i, q := range t.Requests {
		s.leave(q.At)
		if err := s.arrive(ctx, t.Planner, i, q); err != nil {
			return Outcome{}, fmt.Errorf("replay request %s: %w", q.Set.ID, err)
		}
	}
	s.peak()
	return s.out, nil
}

// state is a replay under way.
type state struct {
	ledger      *sched.Ledger
	total, used sched.Vector
	held        map[int]Request // by index
	ends        ends
	out         Outcome
}

func (s *state) arrive(ctx context.Context, p Planner, i int, q Request) error {
	snap, work := s.ledger.Snapshot(), s.work(q)
	s.out.Asked += work
	begin := time.Now()
	plan, err := p.Plan(ctx, snap, q.Batch)
	s.out.Plans = append(s.out.Plans, time.Since(begin))
	if errors.Is(err, sched.ErrNoFit) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := s.ledger.Commit(ctx, plan, sched.Mode{AllOrNothing: true}); err != nil {
		return err
	}
	s.out.Placed = append(s.out.Placed, i)
	s.out.Given += work
	s.held[i] = q
	s.count(q, 1)
	if q.Lifetime > 0 {
		heap.Push(&s.ends, end{q.At + q.Lifetime, i})
	}
	return nil
}

func (s *state) work(q Request) float64 {
	most := 0.0
	for r, n := range q.Set.Need {
		if n > 0 {
			most = max(most, float64(n)/float64(max(1, s.total[r])))
		}
	}
	return most * float64(max(1, q.N))
}

// leave takes away what has ended by now.
func (s *state) leave(now float64) {
	if len(s.ends) > 0 && s.ends[0].at <= now {
		s.peak() // use only falls here, so that a peak is just before it, or at the end
	}
	for len(s.ends) > 0 && s.ends[0].at <= now {
		e := heap.Pop(&s.ends).(end)
		q := s.held[e.request]
		s.ledger.Release(q.Copies()...)
		s.count(q, -1)
		delete(s.held, e.request)
	}
}

func (s *state) count(q Request, sign int64) {
	for r, n := range q.Set.Need {
		s.used[r] += sign * n * int64(max(1, q.N))
	}
}

// peak keeps the fleet when its most used resource is used more than ever before.
func (s *state) peak() {
	load := 0.0
	for r, n := range s.used {
		if s.total[r] > 0 {
			load = max(load, float64(n)/float64(s.total[r]))
		}
	}
	if s.out.Peak == nil || load > s.out.load {
		s.out.load, s.out.Peak, s.out.Held = load, s.ledger.Snapshot().List(), s.used
	}
}

// end is when a request leaves.
type end struct {
	at      float64
	request int
}

// ends is a heap of them, the earliest first.
type ends []end

func (e ends) Len() int { return len(e) }
func (e ends) Less(i, j int) bool {
	if e[i].at != e[j].at {
		return e[i].at < e[j].at
	}
	return e[i].request < e[j].request
}
func (e ends) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)   { *e = append(*e, x.(end)) }
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
