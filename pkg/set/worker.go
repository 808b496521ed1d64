package set

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// worker looks after one server: it holds the record, and one goroutine runs reconcile whenever
// something may have changed.
type worker struct {
	m    *Manager
	id   string
	wake chan struct{}

	mu        sync.Mutex
	rec       Record
	interrupt context.CancelFunc // ends the operation under way; nil when there is none

	// Only run's goroutine uses these.
	attached  string    // sandbox that the network was attached to
	version   [2]uint64 // epoch and generation that since and tries belong to
	since     time.Time // first failure since images were had; zero: none yet
	tries     int       // of the operation under way
	restarts  map[string]int
	repairAt  time.Time // earliest next repair
	noted     bool      // a fault waits for repairAt
	repairGap time.Duration
	unsaved   bool // the journal did not take the last settled state
}

func newWorker(m *Manager, r Record) *worker {
	w := &worker{m: m, id: r.Assignment.ServerID, rec: r, wake: make(chan struct{}, 1), restarts: map[string]int{}}
	w.version = [2]uint64{r.Assignment.Epoch, r.Assignment.Generation}
	for _, c := range r.Observed.Containers {
		w.restarts[c.Name] = c.Restarts
	}
	return w
}

// observation is the server as last published.
func (w *worker) observation() Observation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.observationLocked()
}

func (w *worker) observationLocked() Observation {
	o := Observation{ServerID: w.id, Observed: w.rec.Observed}
	o.Steps = slices.Clone(o.Steps)
	o.Containers = slices.Clone(o.Containers)
	return o
}

// assign takes over a newer Assignment; the caller's answer waits until it is in the journal.
func (w *worker) assign(a Assignment) (Observation, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.rec.Assignment
	removed := w.rec.Absent && w.rec.Observed.State != StateDeleted
	switch {
	case a.Epoch < old.Epoch:
		return Observation{}, ErrStaleEpoch
	case removed:
		return Observation{}, fmt.Errorf("%w: it is being deleted", ErrConflict)
	case w.rec.Absent && a.Epoch == old.Epoch:
		return Observation{}, fmt.Errorf("%w: it was deleted", ErrConflict)
	case !w.rec.Absent && a.Epoch == old.Epoch && a.Generation < old.Generation:
		return Observation{}, fmt.Errorf("%w: generation %d is known already", ErrConflict, old.Generation)
	case !w.rec.Absent && a.Epoch == old.Epoch && a.Generation == old.Generation:
		return w.repeat(a)
	}
	return w.replace(a)
}

// repeat is an Assignment that is known already; only its token may be news.
func (w *worker) repeat(a Assignment) (Observation, error) {
	if SpecHash(a) != SpecHash(w.rec.Assignment) || a.Desired != w.rec.Assignment.Desired {
		return Observation{}, fmt.Errorf("%w: generation %d came with other content before", ErrConflict, a.Generation)
	}
	if a.PullToken != "" {
		w.rec.Assignment.PullToken = a.PullToken
	}
	return w.observationLocked(), nil
}

func (w *worker) replace(a Assignment) (Observation, error) {
	next := newRecord(a)
	next.Observed.At = later(w.rec.Observed.At)
	next.Made = !w.rec.Absent && (w.rec.Made || w.rec.Reached)
	if !w.rec.Absent && SpecHash(a) == SpecHash(w.rec.Assignment) { // the containers stay: so does what is known of them
		next.ImageIDs = w.rec.ImageIDs
		next.Observed.Containers = w.rec.Observed.Containers
	}
	if err := w.m.cfg.Journal.Save(next); err != nil {
		return Observation{}, err
	}
	w.rec = next
	w.changed()
	return w.observationLocked(), nil
}

// remove turns the record into a tombstone to be.
func (w *worker) remove(epoch uint64) (Observation, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if epoch < w.rec.Assignment.Epoch {
		return Observation{}, ErrStaleEpoch
	}
	if w.rec.Absent {
		return w.raise(epoch)
	}
	next := w.rec
	next.Absent = true
	next.Assignment.Epoch = epoch
	next.Observed = Observed{State: StateDeleting, Generation: w.rec.Observed.Generation, Epoch: epoch, Containers: w.rec.Observed.Containers, At: later(w.rec.Observed.At)}
	if err := w.m.cfg.Journal.Save(next); err != nil {
		return Observation{}, err
	}
	w.rec = next
	w.changed()
	return w.observationLocked(), nil
}

// raise notes that a newer owner asked for what is being removed, or is gone: older ones are stale from now on.
func (w *worker) raise(epoch uint64) (Observation, error) {
	if epoch == w.rec.Assignment.Epoch {
		return w.observationLocked(), nil
	}
	next := w.rec
	next.Assignment.Epoch, next.Observed.Epoch = epoch, epoch
	next.Observed.At = later(w.rec.Observed.At)
	if next.Observed.State != StateDeleted { // of what is gone the journal holds nothing
		if err := w.m.cfg.Journal.Save(next); err != nil {
			return Observation{}, err
		}
	}
	w.rec = next
	w.changed()
	return w.observationLocked(), nil
}

// changed publishes the record, ends the operation under way and wakes the worker. w.mu is held.
func (w *worker) changed() {
	w.m.feed.publish(w.observationLocked())
	if w.interrupt != nil {
		w.interrupt()
	}
	w.poke()
}

func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// calm forgets that the worker was woken, for the look that follows sees what events told so far: those of
// its own work, mostly. What a newer Assignment wakes is kept, it has ended ctx before.
func (w *worker) calm(ctx context.Context) {
	select {
	case <-w.wake:
	default:
	}
	if ctx.Err() != nil {
		w.poke()
	}
}

// run reconciles whenever it is woken, until the server is forgotten or the Manager closes.
func (w *worker) run() {
	for {
		again, done := w.reconcile()
		if done && w.m.forget(w) {
			return
		}
		if w.unsaved {
			again = min(again, w.m.cfg.Backoff)
		}
		timer := time.NewTimer(again)
		select {
		case <-w.m.ctx.Done():
			timer.Stop()
			return
		case <-w.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// reconcile does one round and says when to look again.
func (w *worker) reconcile() (again time.Duration, done bool) {
	ctx, cancel := context.WithCancel(w.m.ctx)
	defer cancel()
	w.mu.Lock()
	rec := w.rec
	w.interrupt = cancel
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.interrupt = nil
		w.mu.Unlock()
	}()
	if v := [2]uint64{rec.Assignment.Epoch, rec.Assignment.Generation}; v != w.version {
		w.version, w.since, w.tries = v, time.Time{}, 0
		w.restarts, w.repairAt, w.repairGap, w.noted = map[string]int{}, time.Time{}, 0, false
	}
	if w.unsaved {
		w.save()
	}
	switch {
	case rec.Absent && rec.Observed.State == StateDeleted:
		return w.buried(ctx, rec)
	case rec.Absent:
		return w.absent(ctx, rec)
	case rec.Observed.State == StateFailed:
		return w.m.cfg.Poll, false // until a new Assignment
	case rec.Assignment.Desired == DesiredStopped:
		return w.stopped(ctx, rec)
	case rec.Assignment.Desired == DesiredSuspended:
		return w.suspended(ctx, rec)
	}
	return w.running(ctx, rec)
}

// update changes the observation of the generation that rec belongs to and publishes it. A newer
// Assignment's observation is left alone: false.
func (w *worker) update(rec Record, change func(*Observed)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.current(rec) {
		return false
	}
	change(&w.rec.Observed)
	w.rec.Observed.At = later(w.rec.Observed.At)
	w.m.feed.publish(w.observationLocked())
	return true
}

func (w *worker) current(rec Record) bool {
	return w.rec.Absent == rec.Absent && w.rec.Assignment.Generation == rec.Assignment.Generation && w.rec.Assignment.Epoch == rec.Assignment.Epoch
}

// settle is update for a state that the journal keeps.
func (w *worker) settle(rec Record, reached bool, change func(*Observed)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.current(rec) {
		return
	}
	change(&w.rec.Observed)
	w.rec.Observed.At = later(w.rec.Observed.At)
	w.rec.Reached = w.rec.Reached || reached
	err := w.m.cfg.Journal.Save(w.rec)
	if w.unsaved = err != nil; w.unsaved {
		w.m.cfg.Logger.Error("a state could not be written to the journal, will try again", "server", w.id, "error", err)
	}
	w.m.feed.publish(w.observationLocked())
}

// save writes again what the journal did not take: a restart that knew less could take away volumes.
func (w *worker) save() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unsaved = !w.rec.Absent && w.m.cfg.Journal.Save(w.rec) != nil // a removal was written when it was asked for
}

// lane waits for a slot; release gives it back.
func lane(ctx context.Context, slots chan struct{}) (release func(), err error) {
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// interrupted says that the round ended because something newer is wanted, or the Manager closes.
func interrupted(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

// later is now, but always after t: a clock that is set back must not make news look old.
func later(t time.Time) time.Time {
	if now := time.Now(); now.After(t) {
		return now
	}
	return t.Add(time.Nanosecond)
}
