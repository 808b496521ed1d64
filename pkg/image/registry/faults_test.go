package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// gate stands before a Glance box and makes requests of a push fail.
type gate struct {
	next http.Handler

	mu    sync.Mutex
	seen  int
	fault fault
	at    int    // the request that fails, from 0
	hit   string // what that was
}

// fault is what goes wrong with a request.
type fault struct {
	name   string
	answer func(w http.ResponseWriter, r *http.Request, next http.Handler)
	lasts  bool // every later request fails too
	done   bool // the request is done all the same
	// want lists "status CODE" of what the client may be told; the push may also succeed.
	want []string
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	n, f := g.seen, g.fault
	g.seen++
	fails := f.answer != nil && (n == g.at || f.lasts && n > g.at)
	if fails && g.hit == "" {
		g.hit = r.Method + " " + r.URL.Path
	}
	g.mu.Unlock()
	if fails {
		f.answer(w, r, g.next)
		return
	}
	g.next.ServeHTTP(w, r)
}

// arm makes request number at of those to come fail; without a fault it counts only.
func (g *gate) arm(f fault, at int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen, g.at, g.fault, g.hit = 0, at, f, ""
}

func (g *gate) state() (seen int, hit string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen, g.hit
}

func status(code int) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.WriteHeader(code)
		fmt.Fprintf(w, "<html>%d of Glance</html>", code)
	}
}

func broken(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// lost does what it is asked and answers that it failed.
func lost(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	status(http.StatusInternalServerError)(w, r, nil)
}

const unavailable = "503 UNAVAILABLE"

var faults = []fault{
	{name: "500", answer: status(500), want: []string{unavailable}},
	{name: "500 from then on", answer: status(500), lasts: true, want: []string{unavailable}},
	{name: "done but said to have failed", answer: lost, done: true, want: []string{unavailable}},
	{name: "connection broken", answer: broken, want: []string{unavailable}},
	{name: "connection broken from then on", answer: broken, lasts: true, want: []string{unavailable}},
	{name: "503 from then on", answer: status(503), lasts: true, want: []string{unavailable}},
	{name: "token expired from then on", answer: status(401), lasts: true, want: []string{"401 UNAUTHORIZED"}},
	{name: "forbidden", answer: status(403), want: []string{"403 DENIED"}},
	{name: "404", answer: status(404), want: []string{"404 MANIFEST_BLOB_UNKNOWN", "404 BLOB_UPLOAD_UNKNOWN", "404 BLOB_UNKNOWN", unavailable}},
	{name: "409", answer: status(409), want: []string{unavailable, "404 BLOB_UPLOAD_UNKNOWN"}},
	{name: "410", answer: status(410), want: []string{unavailable, "404 MANIFEST_BLOB_UNKNOWN"}},
}

// faulty is a registry on a Glance box behind a gate, with the cache that a daemon has.
func faulty(t *testing.T, hash string) (*server, *gate) {
	box, err := imagetest.NewGlance(imagetest.GlanceConfig{Hash: hash,
		Tokens: imagetest.FixedTokens{"demo": {ProjectID: "id-demo", Roles: []string{"member"}}}})
	require.NoError(t, err)
	g := &gate{next: box}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	cache := new(glance.Cache)
	return newServer(t, func(c *registry.Config) {
		c.Stores = func(_ context.Context, id registry.Identity) (image.Store, error) {
			return glance.New(glance.Config{Endpoint: srv.URL, Token: "demo", ProjectID: id.ProjectID, Project: id.Project, Cache: cache})
		}
	}), g
}

// tryPush pushes as docker does, up to the first refusal, which it returns; else the zero reply.
func (s *server) tryPush(repo, tag string, f imagetest.Fixture) reply {
	s.t.Helper()
	for _, blob := range append([][]byte{f.Config}, f.Layers...) {
		path := "/v2/" + repo + "/blobs/"
		r := s.do(ask{method: "GET", path: path + sum(blob)}) // as HEAD, with a body to look into
		if r.status == http.StatusOK {
			continue
		}
		if r.status != http.StatusNotFound {
			return r
		}
		r = s.do(ask{method: "POST", path: path + "uploads/"})
		at := r.header.Get("Location")
		if r.status == http.StatusAccepted {
			r = s.do(ask{method: "PATCH", path: at, body: blob, chunked: true})
		}
		if r.status == http.StatusAccepted {
			r = s.do(ask{method: "PUT", path: at + "?digest=" + sum(blob)})
		}
		if r.status != http.StatusCreated {
			return r
		}
	}
	r := s.do(ask{method: "PUT", path: "/v2/" + repo + "/manifests/" + tag, body: f.Manifest.Body, header: map[string]string{"Content-Type": f.Manifest.MediaType}})
	if r.status == http.StatusCreated {
		return reply{}
	}
	return r
}

// pulls says whether the whole of f is there under the name.
func (s *server) pulls(repo, name string, f imagetest.Fixture) bool {
	s.t.Helper()
	r := s.do(ask{method: "GET", path: "/v2/" + repo + "/manifests/" + name})
	if r.status != http.StatusOK || string(r.body) != string(f.Manifest.Body) {
		return false
	}
	for _, blob := range append([][]byte{f.Config}, f.Layers...) {
		r := s.want(http.StatusOK, ask{method: "GET", path: "/v2/" + repo + "/blobs/" + sum(blob)})
		require.Equal(s.t, blob, r.body)
	}
	return true
}

// TestAPushThatFailsAtAnyStepIsWholeOrNotThere lets every single request of a push to Glance fail in every way.
func TestAPushThatFailsAtAnyStepIsWholeOrNotThere(t *testing.T) {
	for _, hash := range []string{"sha256", "sha512"} {
		for _, f := range faults {
			t.Run(hash+" "+f.name, func(t *testing.T) {
				t.Parallel()
				failEverywhere(t, hash, f)
			})
		}
	}
}

func failEverywhere(t *testing.T, hash string, f fault) {
	for at := 0; ; at++ {
		s, g := faulty(t, hash)
		old, young := imagetest.NewFixture("base"), imagetest.NewFixture("base", "more", "most")
		s.push("demo/app", "moving", old)
		g.arm(f, at)
		r := s.tryPush("demo/app", "moving", young)
		_, hit := g.state()
		if hit == "" {
			require.Greater(t, at, 10, "a push is more than that")
			require.Zero(t, r.status)
			return
		}
		g.arm(fault{}, 0)
		where := fmt.Sprintf("request %d, %s: %d %s", at, hit, r.status, r.body)
		if r.status == 0 {
			require.True(t, s.pulls("demo/app", "moving", young), where)
			continue
		}
		assert.Contains(t, f.want, fmt.Sprintf("%d %s", r.status, r.code(t)), where)
		assert.NotContains(t, string(r.body), "<html>", "Glance's page is not for the client")
		require.True(t, s.pulls("demo/app", "moving", old) || f.done && s.pulls("demo/app", "moving", young), "the tag: "+where)
		byDigest := s.do(ask{method: "HEAD", path: "/v2/demo/app/manifests/" + young.Manifest.Digest.String()}).status
		require.True(t, byDigest == http.StatusNotFound || s.pulls("demo/app", young.Manifest.Digest.String(), young), "half a manifest: "+where)
		if !f.lasts {
			assertNothingUnfinished(t, g.next, where)
		}
		require.Zero(t, s.tryPush("demo/app", "moving", young).status, "the next push heals: "+where)
		require.True(t, s.pulls("demo/app", "moving", young), where)
		require.True(t, s.pulls("demo/app", old.Manifest.Digest.String(), old), where)
	}
}

// assertNothingUnfinished wants no record in Glance that an upload has left.
func assertNothingUnfinished(t *testing.T, box http.Handler, where string) {
	t.Helper()
	var left []string
	ok := func() bool {
		left = nil
		for _, i := range records(t, box) {
			if i["status"] != "active" || i["name"] == "uploading" {
				left = append(left, fmt.Sprint(i["status"], " ", i["name"], " ", i["docker_kind"]))
			}
		}
		return len(left) == 0
	}
	for deadline := time.Now().Add(20 * time.Second); !ok() && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	slices.Sort(left)
	assert.Empty(t, left, where)
}
