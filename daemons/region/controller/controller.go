package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/set"
)

// Controller runs one region.
type Controller struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	ledger *sched.Ledger
	tasks  *taskBoard
	begun  *reunion

	placing   sync.Mutex // one plan and commit to the ledger at a time
	replacing sync.Mutex // a server's share is given back and taken again by one caller at a time

	hostRecords sync.Mutex // one writer of host records at a time

	mu       sync.Mutex
	hosts    map[string]*hostLink
	drivers  map[string]*driver
	removals map[string]bool       // stale servers that a host is being told to drop
	tokens   map[string]set.Secret // by server, while its task runs
	services map[string]*scaling   // by service, while its task runs
}

// New loads the records and goes on with every task that was under way.
func New(ctx context.Context, cfg Config) (*Controller, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Controller{cfg: cfg, ledger: sched.NewLedger(sched.LedgerConfig{}), tasks: newTaskBoard(), begun: newReunion(cfg.Reunion),
		hosts: map[string]*hostLink{}, drivers: map[string]*driver{}, removals: map[string]bool{}, tokens: map[string]set.Secret{}, services: map[string]*scaling{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if err := c.load(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.work.Go(c.tick)
	return c, nil
}

// Close ends the work and waits for it; the records stay as they are.
func (c *Controller) Close() error {
	c.cancel()
	c.work.Wait()
	return nil
}

// load puts hosts and servers from the store into the scheduler's ledger, and then, when nothing can change
// the records in between, connects to the hosts and wakes what is unfinished.
func (c *Controller) load(ctx context.Context) error {
	hosts, err := all[Host](ctx, c.cfg.Store, "host/")
	if err != nil {
		return err
	}
	for i := range hosts {
		hosts[i].Ready, hosts[i].Reason = false, "has not reported since the region started"
		if err := c.ledger.Put(schedHost(hosts[i])); err != nil {
			return fmt.Errorf("host %s: %w", hosts[i].Name, err)
		}
	}
	c.begun.expect(hosts)
	unfinished, err := c.loadServers(ctx)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		if err := c.follow(h); err != nil {
			return fmt.Errorf("host %s: %w", h.Name, err)
		}
	}
	for _, id := range unfinished {
		c.drive(id)
	}
	return c.resumeServices(ctx)
}

func (c *Controller) loadServers(ctx context.Context) (unfinished []string, err error) {
	servers, err := all[set.Server](ctx, c.cfg.Store, "server/")
	if err != nil {
		return nil, err
	}
	for _, s := range servers {
		if s.Host != "" {
			claim := sched.Claim{SetID: s.ID, HostID: s.Host, Take: need(s.Spec), Group: s.ServiceID}
			if _, err := c.ledger.Commit(ctx, sched.Plan{Claims: []sched.Claim{claim}}, sched.Mode{Force: true}); err != nil {
				c.cfg.Logger.Error("a server names a host the region does not know", "server", s.ID, "host", s.Host, "error", err)
			}
		}
		if s.TaskID == "" {
			continue
		}
		unfinished = append(unfinished, s.ID)
		if task, err := c.task(ctx, s.TaskID); err == nil {
			task.Revision += 1 << 20 // beyond what a reader saw before the restart
			c.tasks.put(task)
		}
	}
	return unfinished, nil
}

// tick looks for hosts that fell silent and forgets old tasks.
func (c *Controller) tick() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var pruned time.Time
	for {
		select {
		case <-c.ctx.Done():
			return
		case now := <-second.C:
			c.begun.heard("", now)
			c.checkSilence(now)
			if now.Sub(pruned) > c.cfg.KeepTasks/24 {
				pruned = now
				c.pruneTasks(now)
			}
		}
	}
}

// The keys of the store.
func serverKey(id string) string           { return "server/" + id }
func nameKey(project, name string) string  { return "name/" + project + "/" + name }
func taskKey(id string) string             { return "task/" + id }
func replicaKey(service, id string) string { return replicaPrefix(service) + id }
func replicaPrefix(service string) string  { return "replica/" + service + "/" }
func serviceKey(id string) string          { return "service/" + id }
func serviceNameKey(project, name string) string {
	return "servicename/" + project + "/" + name
}
func hostKey(name string) string         { return "host/" + name }
func idemKey(project, key string) string { return "idempotency/" + project + "/" + key }
func orderKey(s set.Server) string {
	return fmt.Sprintf("project/%s/%020d-%s", s.ProjectID, s.CreatedAt.UnixNano(), s.ID)
}

// get reads one record and its revision. Errors: store.ErrNotFound, set.ErrUnavailable.
func get[T any](ctx context.Context, s store.Store, key string) (v T, revision uint64, err error) {
	i, err := s.Get(ctx, key)
	if err != nil {
		return v, 0, unavailable(err)
	}
	return v, i.Revision, json.Unmarshal(i.Value, &v)
}

func all[T any](ctx context.Context, s store.Store, prefix string) ([]T, error) {
	items, err := s.List(ctx, prefix, "", 0)
	if err != nil {
		return nil, unavailable(err)
	}
	list := make([]T, len(items))
	for i, item := range items {
		if err := json.Unmarshal(item.Value, &list[i]); err != nil {
			return nil, fmt.Errorf("record %s: %w", item.Key, err)
		}
	}
	return list, nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data: cannot fail
	}
	return b
}

// unavailable gives the store's outages set's sentinel; other errors stay.
func unavailable(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return fmt.Errorf("%w: %w", set.ErrUnavailable, err)
	}
	return err
}

// change rewrites a server record until no other writer was in between. mutate may add to the Txn; when it
// returns false nothing is written.
func (c *Controller) change(ctx context.Context, id string, mutate func(*set.Server, *store.Txn) (bool, error)) (set.Server, error) {
	for {
		s, revision, err := get[set.Server](ctx, c.cfg.Store, serverKey(id))
		if err != nil {
			return s, err
		}
		var t store.Txn
		write, err := mutate(&s, &t)
		if err != nil || !write {
			return s, err
		}
		s.UpdatedAt = time.Now().UTC()
		t.Expect(serverKey(id), revision)
		t.Put(serverKey(id), encode(s))
		if _, err = c.cfg.Store.Commit(ctx, t); !errors.Is(err, store.ErrConflict) {
			return s, unavailable(err)
		}
		if err := ctx.Err(); err != nil {
			return s, err
		}
	}
}
