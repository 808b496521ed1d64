package controller_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

// warm is a host that holds layers.
type warm struct {
	set.Agent
	mu     sync.Mutex
	asked  []set.Prefetch
	layers []string
	err    error
}

func (w *warm) Prefetch(_ context.Context, p set.Prefetch) (set.Prefetched, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, p)
	return set.Prefetched{Bytes: 700}, w.err
}

func (w *warm) Layers(context.Context) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.layers, w.err
}

// warmHost adds a host with the ability, over HTTP as hosts are.
func (r *region) warmHost(t *testing.T, name string, room int, layers ...string) *warm {
	t.Helper()
	f := settest.NewFakes()
	m, err := set.NewManager(f.Config())
	require.NoError(t, err)
	w := &warm{Agent: m, layers: layers}
	server := httptest.NewServer(setapi.AgentHandler(w))
	t.Cleanup(func() { assert.NoError(t, r.Close()); server.Close(); assert.NoError(t, m.Close()) })
	r.host(t, name, room, setapi.NewAgentClient(setapi.ClientConfig{URL: server.URL, HTTP: http.DefaultClient}))
	return w
}

func TestAnImageIsBroughtToHostsAhead(t *testing.T) {
	r := newRegion(t, nil)
	one, two := r.warmHost(t, "one", 10), r.warmHost(t, "two", 10)
	r.fakes(t, "plain", 10)
	caller := controller.Caller{ProjectID: "project-1", Token: "token-of-admin"}
	img, results, err := r.Prefetch(t.Context(), caller, controller.PrefetchRequest{Image: "app:1", Hosts: []string{"two", "one", "two"}})
	require.NoError(t, err)
	assert.Equal(t, "project/app:1", img.Ref)
	assert.Equal(t, []controller.PrefetchResult{{Host: "one", Bytes: 700}, {Host: "two", Bytes: 700}}, results)
	require.Len(t, two.asked, 1)
	assert.Equal(t, set.Prefetch{Image: img, PullToken: "token-of-admin"}, two.asked[0])

	one.mu.Lock()
	one.err = fmt.Errorf("%w: the disk is full", set.ErrUnavailable)
	one.mu.Unlock()
	_, results, err = r.Prefetch(t.Context(), caller, controller.PrefetchRequest{Image: "app:1", DryRun: true})
	require.NoError(t, err, "what a host says is in its result")
	require.Len(t, results, 3)
	assert.Contains(t, results[0].Error, "the disk is full")
	assert.Contains(t, results[1].Error, "cannot fetch images ahead")
	assert.Equal(t, controller.PrefetchResult{Host: "two", Bytes: 700}, results[2])
	assert.True(t, two.asked[1].DryRun)

	_, _, err = r.Prefetch(t.Context(), caller, controller.PrefetchRequest{Image: "missing:1"})
	require.ErrorIs(t, err, set.ErrNotFound)
	_, _, err = r.Prefetch(t.Context(), caller, controller.PrefetchRequest{Image: "app:1", Hosts: []string{"nowhere"}})
	require.ErrorIs(t, err, set.ErrNotFound)
}

// layered is a registry that knows the layers of its images.
type layered struct{ registry }

func (layered) Layers(string) []sched.Layer { return []sched.Layer{{ID: "base", Size: 1 << 30}} }

func TestServersGoWhereTheirImageIs(t *testing.T) {
	r := newRegion(t, func(c *controller.Config) { c.Images = layered{} })
	r.warmHost(t, "cold", 10)
	r.warmHost(t, "warm", 10, "base")
	r.mu.Lock()
	reports := append([]controller.HostReport(nil), r.reports...)
	r.mu.Unlock()
	for i := range reports {
		reports[i].Layers = "changed"
		require.NoError(t, r.Heartbeat(t.Context(), reports[i]))
	}
	n := 0
	require.Eventually(t, func() bool { // the region asks the hosts in its own time
		n++
		task, err := r.mine().Create(t.Context(), request(fmt.Sprintf("web-%d", n)))
		require.NoError(t, err)
		s, err := r.mine().Get(t.Context(), task.ServerID)
		require.NoError(t, err)
		return s.Host == "warm"
	}, 20*time.Second, 10*time.Millisecond)
}
