package set

import (
	"context"
	"sync"
	"time"
)

// steps reports the parts of one operation of a worker as they begin and end.
type steps struct {
	w    *worker
	rec  Record
	mu   sync.Mutex
	list []Step
	sent time.Time // of the last progress in bytes
}

// progressGap bounds how often byte counts are published.
const progressGap = 100 * time.Millisecond

func newSteps(w *worker, rec Record) *steps { return &steps{w: w, rec: rec} }

// enter publishes the state that the operation is in. A server that is being repaired stays degraded.
func (s *steps) enter(state State) {
	if s.rec.Reached {
		state = StateDegraded
	}
	s.w.update(s.rec, func(o *Observed) {
		o.State = state
		o.Generation, o.Epoch = s.rec.Assignment.Generation, s.rec.Assignment.Epoch
		o.Steps = s.copy()
	})
}

// do runs one step and publishes its begin and end.
func (s *steps) do(name string, f func() error) error {
	i := s.begin(name)
	err := f()
	s.end(i, err)
	return err
}

func (s *steps) begin(name string) int {
	s.mu.Lock()
	s.list = append(s.list, Step{Name: name, State: StepRunning, StartedAt: time.Now()})
	i := len(s.list) - 1
	s.mu.Unlock()
	s.publish()
	return i
}

func (s *steps) end(i int, err error) {
	s.mu.Lock()
	st := &s.list[i]
	st.State, st.EndedAt = StepDone, time.Now()
	if err != nil {
		st.State, st.Message = StepFailed, err.Error()
	}
	s.mu.Unlock()
	s.publish()
}

// progress counts bytes of a step.
func (s *steps) progress(i int, done, total int64) {
	s.mu.Lock()
	s.list[i].Done, s.list[i].Total = done, total
	due := time.Since(s.sent) >= progressGap
	if due {
		s.sent = time.Now()
	}
	s.mu.Unlock()
	if due {
		s.publish()
	}
}

func (s *steps) publish() { s.w.update(s.rec, func(o *Observed) { o.Steps = s.copy() }) }

func (s *steps) copy() []Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Step(nil), s.list...)
}

// instance makes sure that every image is here, each digest once and all at the same time.
func (w *worker) instance(ctx context.Context, rec Record, s *steps) (Instance, error) {
	in := Instance{Assignment: rec.Assignment, ImageIDs: rec.ImageIDs}
	if len(in.ImageIDs) > 0 {
		return in, nil
	}
	s.enter(StatePreparing)
	ids, err := w.pullAll(ctx, rec, s)
	if err != nil {
		return in, err
	}
	in.ImageIDs = make(map[string]string, len(rec.Assignment.Images))
	for name, img := range rec.Assignment.Images {
		in.ImageIDs[name] = ids[img.Digest]
	}
	w.remember(rec, in.ImageIDs)
	w.since = time.Time{} // a long pull is progress: what follows has its own time to be retried
	return in, nil
}

// remember keeps the local image ids with the record; the journal gets them with the next settled state.
func (w *worker) remember(rec Record, ids map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current(rec) {
		w.rec.ImageIDs = ids
	}
}

func (w *worker) pullAll(ctx context.Context, rec Record, s *steps) (map[string]string, error) {
	type pulled struct {
		digest, id string
		err        error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan pulled)
	started := map[string]bool{}
	for _, c := range rec.Assignment.Spec.Containers {
		img := rec.Assignment.Images[c.Name]
		if started[img.Digest] {
			continue
		}
		started[img.Digest] = true
		i := s.begin("pull " + c.Name)
		go func() {
			req := ImageRequest{Image: img, ProjectID: rec.Assignment.ProjectID, Token: rec.Assignment.PullToken}
			id, err := w.m.cfg.Images.Ensure(ctx, req, func(done, total int64) { s.progress(i, done, total) })
			s.end(i, err)
			results <- pulled{img.Digest, id, err}
		}()
	}
	ids := map[string]string{}
	var failure error
	for range started {
		r := <-results
		ids[r.digest] = r.id
		if r.err != nil && failure == nil {
			failure = r.err
			cancel() // one is missing: the others are of no use now
		}
	}
	return ids, failure
}
