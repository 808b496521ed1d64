package controller_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/daemons/region/store/memory"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

// region is a controller under test on a store that outlives it, with hosts in the same process.
type region struct {
	*controller.Controller
	store    store.Store
	networks *ipam.IPAM
	cfg      controller.Config

	mu      sync.Mutex
	agents  map[string]set.Agent
	reports []controller.HostReport // of every host, for a region that starts anew
}

// newRegion makes a region without hosts. change may alter its Config.
func newRegion(t *testing.T, change func(*controller.Config)) *region {
	t.Helper()
	r := &region{store: memory.New(), agents: map[string]set.Agent{}}
	r.cfg = controller.Config{Images: registry{}, Dial: r.dial, HostTimeout: time.Hour}
	if change != nil {
		change(&r.cfg)
	}
	r.open(t)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

// open starts the controller on the region's store.
func (r *region) open(t *testing.T) {
	t.Helper()
	r.openOn(t, r.store)
}

func (r *region) openOn(t *testing.T, s store.Store) {
	t.Helper()
	r.networks = ipam.New(ipam.Config{Store: s})
	cfg := r.cfg
	cfg.Store, cfg.Networks = s, r.networks
	c, err := controller.New(t.Context(), cfg)
	require.NoError(t, err)
	r.Controller = c
}

// reopen ends the controller as a restart does, calls between, and starts it again.
func (r *region) reopen(t *testing.T, between func()) {
	t.Helper()
	require.NoError(t, r.Close())
	if between != nil {
		between()
	}
	r.open(t)
	r.report(t)
}

// report lets every host report again.
func (r *region) report(t *testing.T) {
	t.Helper()
	for _, h := range r.reports {
		require.NoError(t, r.Heartbeat(t.Context(), h))
	}
}

func (r *region) dial(h controller.Host) (set.Agent, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.agents[h.Name]
	if !ok {
		return nil, fmt.Errorf("nobody listens at %s", h.URL)
	}
	return a, nil
}

// host adds a host that is ready, with room for so many servers of the default size.
func (r *region) host(t *testing.T, name string, room int, a set.Agent) controller.HostReport {
	t.Helper()
	r.mu.Lock()
	r.agents[name] = a
	r.mu.Unlock()
	report := controller.HostReport{Name: name, URL: "http://" + name, Ready: true,
		Capacity: set.Resources{CPU: set.MilliCPU(500 * room), Memory: set.Bytes(256<<20) * set.Bytes(room), Pids: int64(512 * room)}}
	require.NoError(t, r.Heartbeat(t.Context(), report))
	r.reports = append(r.reports, report)
	return report
}

// fakes adds a host that is a Manager on fakes.
func (r *region) fakes(t *testing.T, name string, room int) (*settest.Fakes, *set.Manager) {
	t.Helper()
	f, m, _ := r.scripted(t, name, room)
	return f, m
}

// scripted is fakes behind an agent that a test can script.
func (r *region) scripted(t *testing.T, name string, room int) (*settest.Fakes, *set.Manager, *agent) {
	t.Helper()
	f := settest.NewFakes()
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close(), "the region goes before its hosts"); assert.NoError(t, m.Close()) })
	a := &agent{Agent: m}
	r.host(t, name, room, a)
	return f, m, a
}

// mine is the Controller of a member of project-1.
func (r *region) mine() set.Controller {
	return r.For(controller.Caller{ProjectID: "project-1", UserID: "user-1", RequestID: "req-1"})
}

// registry resolves every image but "missing:1".
type registry struct{}

func (registry) Resolve(_ context.Context, ref string, _ controller.Caller) (set.Image, error) {
	if strings.HasPrefix(ref, "missing:") {
		return set.Image{}, fmt.Errorf("%w: the registry has no %s", set.ErrNotFound, ref)
	}
	return set.Image{Ref: "project/app:1", Digest: settest.Digest("c"), Size: 1000}, nil
}

func request(name string) set.CreateRequest {
	return set.CreateRequest{Name: name, Spec: set.Spec{Containers: []set.Container{{Name: "app", Image: "app:1"}}}}
}

// end waits for a task's end.
func end(t *testing.T, c set.Controller, id string) set.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settest.Patience)
	defer cancel()
	task, err := set.Wait(ctx, c.(set.TaskReader), id, nil)
	require.NoError(t, err)
	return task
}

// done is end for a task that has to succeed.
func done(t *testing.T, c set.Controller, task set.Task, err error) set.Task {
	t.Helper()
	require.NoError(t, err)
	task = end(t, c, task.ID)
	require.Equal(t, set.TaskDone, task.State, "%+v", task.Fault)
	return task
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, settest.Patience, time.Millisecond, what)
}

// ledgerHolds checks that hosts and network hold shares of exactly n servers.
func (r *region) ledgerHolds(t *testing.T, n int) {
	t.Helper()
	servers := 0
	for _, h := range r.Hosts() {
		servers += h.Servers
	}
	assert.Equal(t, n, servers, "servers in the ledger")
	list, err := r.networks.List(t.Context(), "project-1")
	require.NoError(t, err)
	used := 0
	for _, network := range list {
		used += network.InUse
	}
	assert.Equal(t, n, used, "addresses in use")
}

// agent is a host whose answers a test can change.
type agent struct {
	set.Agent
	mu     sync.Mutex
	apply  func(ctx context.Context, next set.Agent, a set.Assignment) (set.Observation, error)
	remove func(ctx context.Context, next set.Agent, r set.Removal) (set.Observation, error)
	gone   []set.Removal
}

func (a *agent) script(apply func(context.Context, set.Agent, set.Assignment) (set.Observation, error), remove func(context.Context, set.Agent, set.Removal) (set.Observation, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apply, a.remove = apply, remove
}

func (a *agent) Apply(ctx context.Context, as set.Assignment) (set.Observation, error) {
	a.mu.Lock()
	apply := a.apply
	a.mu.Unlock()
	if apply != nil {
		return apply(ctx, a.Agent, as)
	}
	return a.Agent.Apply(ctx, as)
}

func (a *agent) Remove(ctx context.Context, r set.Removal) (set.Observation, error) {
	a.mu.Lock()
	remove := a.remove
	a.gone = append(a.gone, r)
	a.mu.Unlock()
	if remove != nil {
		return remove(ctx, a.Agent, r)
	}
	return a.Agent.Remove(ctx, r)
}

func (a *agent) removals() []set.Removal {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]set.Removal(nil), a.gone...)
}
