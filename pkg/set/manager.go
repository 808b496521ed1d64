package set

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"sync"
	"time"
)

// ManagerConfig composes a Manager. Engine, Images, Network and Journal are needed; the rest has defaults.
type ManagerConfig struct {
	Engine  Engine
	Images  Images
	Network Network
	Journal Journal

	UpLimit    int           // servers brought up at once; default 4 for each core
	DownLimit  int           // servers stopped or removed at once; default 4 for each core
	RetryFor   time.Duration // how long a first start is retried while something is unavailable; default 20s
	Backoff    time.Duration // before the second restart of a container, doubled each time; default 1s
	BackoffMax time.Duration // default 5m
	Poll       time.Duration // between looks at a server nothing was heard of; default 30s
	Tombstone  time.Duration // how long a removed server is still observed as deleted; default 10m
	Logger     *slog.Logger  // nil discards
}

func (c ManagerConfig) withDefaults() (ManagerConfig, error) {
	if c.Engine == nil || c.Images == nil || c.Network == nil || c.Journal == nil {
		return c, fmt.Errorf("%w: a manager needs Engine, Images, Network and Journal", ErrInvalid)
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&c.RetryFor, 20*time.Second)
	def(&c.Backoff, time.Second)
	def(&c.BackoffMax, 5*time.Minute)
	def(&c.Poll, 30*time.Second)
	def(&c.Tombstone, 10*time.Minute)
	if c.UpLimit == 0 {
		c.UpLimit = 4 * runtime.NumCPU()
	}
	if c.DownLimit == 0 {
		c.DownLimit = 4 * runtime.NumCPU()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Manager is the Agent of one host: for each server one worker brings what is to what should be.
type Manager struct {
	cfg      ManagerConfig
	ctx      context.Context
	cancel   context.CancelFunc
	tasks    sync.WaitGroup
	up, down chan struct{} // lanes: a slot is held while a server is brought up or down
	feed     feed

	mu      sync.Mutex
	workers map[string]*worker
	strays  map[string]Observation // on the engine, not in the journal
	closed  bool
}

var _ Agent = (*Manager)(nil)

// NewManager takes over what the journal says: servers that run are adopted untouched, work that was
// cut off goes on. A damaged journal file is logged and does not stop the others.
func NewManager(cfg ManagerConfig) (*Manager, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	records, err := cfg.Journal.Load()
	if err != nil {
		cfg.Logger.Error("some records of the journal are lost", "error", err)
	}
	m := &Manager{cfg: cfg, up: make(chan struct{}, cfg.UpLimit), down: make(chan struct{}, cfg.DownLimit),
		workers: map[string]*worker{}, strays: map[string]Observation{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	for _, r := range records {
		m.add(r)
	}
	m.tasks.Go(m.clean)
	if events, ok := cfg.Engine.(EngineEvents); ok {
		m.tasks.Go(func() { m.listen(events) })
	}
	return m, nil
}

// Close ends the work, but no container: the next Manager on this journal goes on. It waits for the calls under way.
func (m *Manager) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.tasks.Wait()
	return nil
}

// Apply implements Agent.
func (m *Manager) Apply(ctx context.Context, a Assignment) (Observation, error) {
	if err := m.accepts(a); err != nil {
		return Observation{}, &Error{Op: "apply", ID: a.ServerID, Err: err}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Observation{}, &Error{Op: "apply", ID: a.ServerID, Err: fmt.Errorf("%w: the host is shutting down", ErrUnavailable)}
	}
	if stray, ok := m.strays[a.ServerID]; ok && stray.Epoch > a.Epoch {
		return Observation{}, &Error{Op: "apply", ID: a.ServerID, Err: ErrStaleEpoch}
	}
	if w, ok := m.workers[a.ServerID]; ok {
		o, err := w.assign(a)
		return o, wrap("apply", a.ServerID, err)
	}
	r := newRecord(a)
	_, r.Made = m.strays[a.ServerID] // what a stray's volumes hold outlives a failed start
	if err := m.cfg.Journal.Save(r); err != nil {
		return Observation{}, &Error{Op: "apply", ID: a.ServerID, Err: err}
	}
	delete(m.strays, a.ServerID)
	r.Assignment = a // with its token
	m.add(r)
	return Observation{ServerID: a.ServerID, Observed: r.Observed}, nil // as accepted: the worker may be further already
}

func (m *Manager) accepts(a Assignment) error {
	if err := a.Validate(); err != nil {
		return err
	}
	if _, ok := m.cfg.Engine.(Suspender); !ok && a.Desired == DesiredSuspended {
		return fmt.Errorf("%w: this host's engine cannot suspend", ErrInvalid)
	}
	return nil
}

// newRecord is a server as it is when its Assignment was just accepted.
func newRecord(a Assignment) Record {
	state := StatePreparing
	if a.Desired == DesiredStopped {
		state = StateStopping
	}
	return Record{Assignment: a, Observed: Observed{State: state, Generation: a.Generation, Epoch: a.Epoch, At: time.Now()}}
}

// Remove implements Agent.
func (m *Manager) Remove(ctx context.Context, r Removal) (Observation, error) {
	m.mu.Lock()
	w, known := m.workers[r.ServerID]
	m.mu.Unlock()
	if !known {
		here, err := m.cfg.Engine.List(ctx, r.ServerID)
		if err != nil {
			return Observation{}, wrap("remove", r.ServerID, err)
		}
		if len(here) == 0 {
			m.forgetStray(r.ServerID)
			return Observation{ServerID: r.ServerID, Observed: Observed{State: StateDeleted, Epoch: r.Epoch, At: time.Now()}}, nil
		}
		if here[0].Epoch > r.Epoch {
			return Observation{}, wrap("remove", r.ServerID, ErrStaleEpoch)
		}
		if w, err = m.adoptToRemove(r); err != nil {
			return Observation{}, wrap("remove", r.ServerID, err)
		}
	}
	o, err := w.remove(r.Epoch)
	return o, wrap("remove", r.ServerID, err)
}

// adoptToRemove takes over a stray so that its removal survives a restart.
func (m *Manager) adoptToRemove(r Removal) (*worker, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w, ok := m.workers[r.ServerID]; ok {
		return w, nil
	}
	if m.closed {
		return nil, fmt.Errorf("%w: the host is shutting down", ErrUnavailable)
	}
	rec := Record{Assignment: Assignment{ServerID: r.ServerID, Epoch: r.Epoch}, Absent: true,
		Observed: Observed{State: StateDeleting, Epoch: r.Epoch, At: time.Now()}}
	if err := m.cfg.Journal.Save(rec); err != nil {
		return nil, err
	}
	delete(m.strays, r.ServerID)
	return m.add(rec), nil
}

func (m *Manager) forgetStray(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.strays, id)
}

// Observe implements Agent.
func (m *Manager) Observe(_ context.Context, ids ...string) ([]Observation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(ids) == 0 {
		return m.observations(), nil
	}
	var list []Observation
	for _, id := range ids {
		if w, ok := m.workers[id]; ok {
			list = append(list, w.observation())
		} else if o, ok := m.strays[id]; ok {
			list = append(list, o)
		}
	}
	return list, nil
}

// observations of everything here; m.mu is held.
func (m *Manager) observations() []Observation {
	list := make([]Observation, 0, len(m.workers)+len(m.strays))
	for _, w := range m.workers {
		list = append(list, w.observation())
	}
	for _, o := range m.strays {
		list = append(list, o)
	}
	return list
}

// Watch implements Agent.
func (m *Manager) Watch(ctx context.Context) iter.Seq2[Observation, error] {
	return func(yield func(Observation, error) bool) {
		sub := m.feed.subscribe()
		defer m.feed.unsubscribe(sub)
		m.mu.Lock()
		snapshot := m.observations()
		m.mu.Unlock()
		for _, o := range snapshot {
			if !yield(o, nil) {
				return
			}
		}
		for {
			changed, err := sub.next(ctx, m.ctx)
			if err != nil {
				if ctx.Err() == nil {
					yield(Observation{}, fmt.Errorf("%w: the host is shutting down", ErrUnavailable))
				}
				return
			}
			for _, o := range changed {
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// add starts the worker of a record. m.mu is held, or the Manager is not shared yet.
func (m *Manager) add(r Record) *worker {
	w := newWorker(m, r)
	m.workers[r.Assignment.ServerID] = w
	m.feed.publish(w.observation())
	m.tasks.Go(w.run)
	return w
}

// forget drops a worker whose tombstone has aged; false when the server was given to this host again meanwhile.
func (m *Manager) forget(w *worker) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.observation().State != StateDeleted {
		return false
	}
	delete(m.workers, w.id)
	return true
}

// listen wakes the worker of every server whose containers changed.
func (m *Manager) listen(events EngineEvents) {
	broken := false
	for id, err := range events.Events(m.ctx) {
		if err != nil && !broken && m.ctx.Err() == nil {
			m.cfg.Logger.Warn("the engine's events broke off", "error", err)
		}
		if broken = err != nil; broken {
			continue
		}
		m.mu.Lock()
		w := m.workers[id]
		m.mu.Unlock()
		if w != nil {
			w.poke()
		}
	}
}

// clean takes away network attachments of servers nobody knows, and notes engine leftovers for the region to judge.
func (m *Manager) clean() {
	for try := 0; m.ctx.Err() == nil; try++ {
		err := m.cleanOnce()
		if err == nil || m.ctx.Err() != nil {
			return
		}
		if try == 0 {
			m.cfg.Logger.Warn("looking for leftovers failed, will go on trying", "error", err)
		}
		sleep(m.ctx, m.cfg.Backoff)
	}
}

func (m *Manager) cleanOnce() error {
	attached, err := m.cfg.Network.List(m.ctx) // before the engine: what appears later has a record
	if err != nil {
		return err
	}
	found, err := m.cfg.Engine.List(m.ctx)
	if err != nil {
		return err
	}
	onEngine := map[string]bool{}
	for _, f := range found {
		onEngine[f.ServerID] = true
		m.noteStray(f)
	}
	for _, id := range attached {
		m.mu.Lock()
		_, known := m.workers[id]
		m.mu.Unlock()
		if known || onEngine[id] {
			continue
		}
		m.cfg.Logger.Info("detaching a leftover network port", "server", id)
		err = errors.Join(err, m.cfg.Network.Detach(m.ctx, id))
	}
	return err
}

func (m *Manager) noteStray(f Found) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.workers[f.ServerID]; known {
		return
	}
	o := Observation{ServerID: f.ServerID, Observed: Observed{State: stateOf(f), Generation: f.Generation, Epoch: f.Epoch, Containers: f.Containers, At: time.Now()}}
	m.strays[f.ServerID] = o
	m.feed.publish(o)
	m.cfg.Logger.Warn("the engine has a server that is not in the journal; the region decides about it", "server", f.ServerID)
}

func wrap(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, ID: id, Err: err}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
