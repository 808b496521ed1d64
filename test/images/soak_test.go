package images

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/test/process"
)

const (
	soakWorkers = 6
	soakLayers  = 24 // texts that layers are made of, so that images share them and their blobs come and go
	soakGrace   = 5 * time.Second
	soakPushes  = 300 // and more, until the collector has deleted soakDeleted records under them
	soakDeleted = 20
)

// soakPatience is how long the collector may take for that: it waits for two graces before it deletes.
const soakPatience = 2 * time.Minute

// kept is an image that was pushed and must be there.
type kept struct {
	tag string
	f   imagetest.Fixture
}

// churn pushes, looks and deletes without end.
type churn struct {
	*client
	left   *atomic.Int64 // pushes to do
	enough *atomic.Bool  // the collector has deleted under them
	slow   *atomic.Int64 // that took longer than the collector grants
	name   string
	alive  []kept
}

func (w *churn) run(t *testing.T) {
	ctx := t.Context()
	for n := 0; w.left.Add(-1) >= 0 || !w.enough.Load(); n++ {
		texts := []string{strconv.Itoa(rand.IntN(soakLayers)), strconv.Itoa(rand.IntN(soakLayers)), w.name + "-" + strconv.Itoa(n%5)}
		k := kept{tag: fmt.Sprintf("%s-%d", w.name, n), f: imagetest.NewFixture(texts...)}
		begun := time.Now()
		err := w.push(ctx, "demo/app", k.tag, k.f)
		if err != nil && time.Since(begun) > soakGrace {
			w.slow.Add(1) // a push that takes longer than a grace is promised nothing
			err = w.push(ctx, "demo/app", k.tag, k.f)
		}
		if !check(t, err, "push "+k.tag) || !check(t, w.pull(ctx, "demo/app", k.tag, k.f), "pull what was just pushed") {
			return
		}
		w.alive = append(w.alive, k)
		for len(w.alive) > 4 {
			i := rand.IntN(len(w.alive))
			gone := w.alive[i]
			w.alive = append(w.alive[:i], w.alive[i+1:]...)
			if w.has(gone.f) {
				continue // another tag of the same image is to stay
			}
			if !check(t, w.remove(ctx, "demo/app", gone.f.Manifest.Digest), "delete") {
				return
			}
		}
	}
}

func (w *churn) has(f imagetest.Fixture) bool {
	for _, k := range w.alive {
		if k.f.Manifest.Digest == f.Manifest.Digest {
			return true
		}
	}
	return false
}

func check(t *testing.T, err error, what string) bool {
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	return err == nil
}

// TestPushesGoOnWhileGarbageIsCollected runs two registries that collect without a pause, and clients that push, pull
// and delete images of shared layers: no push misses a blob, and nothing that is needed is lost.
func TestPushesGoOnWhileGarbageIsCollected(t *testing.T) {
	pushes := soakPushes
	if n := os.Getenv("MOSET_SOAK_PUSHES"); n != "" {
		var err error
		pushes, err = strconv.Atoi(n)
		require.NoError(t, err, "MOSET_SOAK_PUSHES is a number")
	}
	flags := []string{"-gc-every", "200ms", "-gc-grace", soakGrace.String(), "-gc-untagged"}
	c := process.Prepare(t, process.Config{Programs: programs, Registry: process.Place{Flags: flags}})
	c.Registry.Start(t)
	second := c.NewRegistry(t, process.Place{Flags: flags})
	second.Start(t)
	var left, slow atomic.Int64
	var enough atomic.Bool
	left.Store(int64(pushes))
	workers := make([]*churn, soakWorkers)
	var wg sync.WaitGroup
	begun := time.Now()
	for i := range workers {
		url := c.Registry.URL
		if i%2 == 1 {
			url = second.URL
		}
		workers[i] = &churn{client: newClient(url, c.Token(t, "demo")), left: &left, enough: &enough, slow: &slow, name: fmt.Sprintf("w%d", i)}
		wg.Go(func() { workers[i].run(t) })
	}
	deletes := func() float64 {
		const name = `moset_registry_gc_records_total{step="delete"}`
		return scrape(t, c.Registry.URL, name) + scrape(t, second.URL, name)
	}
	for end := begun.Add(soakPatience); deletes() < soakDeleted && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	enough.Store(true)
	wg.Wait()
	took := time.Since(begun)
	for _, w := range workers {
		for _, k := range w.alive {
			check(t, w.pull(t.Context(), "demo/app", k.tag, k.f), "an image that was not deleted")
		}
	}
	deleted := deletes()
	require.GreaterOrEqual(t, deleted, float64(soakDeleted), "the collector has work while the pushes go on")
	runs := scrape(t, c.Registry.URL, `moset_registry_gc_runs_total{result="ok"}`) + scrape(t, second.URL, `moset_registry_gc_runs_total{result="ok"}`)
	require.Greater(t, runs, 3.0)
	t.Attr("soak", fmt.Sprintf("%d pushes in %s beside %.0f runs of the collector, which deleted %.0f records; %d pushes took longer than the grace of %s",
		int64(pushes)-left.Load()-soakWorkers, took.Round(time.Second), runs, deleted, slow.Load(), soakGrace))
}

// scrape reads one figure of /metrics; what is not there yet is 0.
func scrape(t *testing.T, url, name string) float64 {
	t.Helper()
	resp, err := http.Get(url + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return figure(t, resp.Body, name)
}
