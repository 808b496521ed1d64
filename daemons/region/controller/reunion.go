package controller

import (
	"context"
	"sync"
	"time"
)

// reunion is the time after a region's start in which the hosts it knows have yet to report. None of them is
// ready before, which says nothing about them: whoever wants to place a server waits.
type reunion struct {
	over  chan struct{} // closed when it is
	until time.Time

	mu      sync.Mutex
	missing map[string]bool // hosts; nil when it is over
}

func newReunion(wait time.Duration) *reunion {
	return &reunion{over: make(chan struct{}), until: time.Now().Add(wait), missing: map[string]bool{}}
}

// expect waits for these hosts; nobody else is told yet.
func (r *reunion) expect(hosts []Host) {
	for _, h := range hosts {
		r.missing[h.Name] = true
	}
	r.heard("", time.Now())
}

// heard notes the report of a host, or the time, and ends the wait when nothing is left to wait for.
func (r *reunion) heard(host string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.missing == nil {
		return
	}
	delete(r.missing, host)
	if len(r.missing) == 0 || now.After(r.until) {
		r.missing = nil
		close(r.over)
	}
}

// wait returns when the reunion is over, or with the error of ctx.
func (r *reunion) wait(ctx context.Context) error {
	select {
	case <-r.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
