package hostnet

import (
	"context"
	"sync"
)

// job is one thing the worker has to do: attach a port, detach one, or run alone.
type job struct {
	ctx    context.Context
	attach *PortSpec
	detach PortID
	run    func(ctx context.Context) error
	result chan outcome
}

type outcome struct {
	status PortStatus
	err    error
}

func (j *job) id() PortID {
	if j.attach != nil {
		return j.attach.ID
	}
	return j.detach
}

// joins tells whether two jobs can be part of one commit.
func (j *job) joins(other *job) bool {
	return j.run == nil && other.run == nil && (j.attach != nil) == (other.attach != nil)
}

// queue collects jobs while the worker is busy with the commit before.
type queue struct {
	wake chan struct{} // holds a token when there is work

	mu     sync.Mutex
	jobs   []*job
	closed bool
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// add appends jobs in one step, so that one caller's jobs are not split by another's; false when closed.
func (q *queue) add(jobs ...*job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.jobs = append(q.jobs, jobs...)
	q.signal()
	return true
}

// take returns the next jobs that can be done in one commit, in order, at most limit. Jobs whose caller
// has left are dropped.
func (q *queue) take(limit int) []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	var group []*job
	seen := map[PortID]bool{}
	for len(q.jobs) > 0 && len(group) < limit {
		next := q.jobs[0]
		if next.ctx.Err() != nil {
			next.result <- outcome{err: next.ctx.Err()}
			q.jobs = q.jobs[1:]
			continue
		}
		if len(group) > 0 && (!next.joins(group[0]) || seen[next.id()]) {
			break
		}
		group = append(group, next)
		seen[next.id()] = true
		q.jobs = q.jobs[1:]
		if next.run != nil {
			break
		}
	}
	if len(q.jobs) > 0 {
		q.signal()
	}
	return group
}

// close refuses further jobs and answers those that wait.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, j := range q.jobs {
		j.result <- outcome{err: errClosed()}
	}
	q.jobs = nil
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
