package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

const (
	someDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	someID     = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
)

// world is an engine and a registry as a Client meets them.
type world struct {
	*Client
	pulls atomic.Int32                                 // transfers the engine began
	have  atomic.Bool                                  // the engine has the image
	pull  func(w http.ResponseWriter, r *http.Request) // what the engine answers to a pull
	root  atomic.Value                                 // string: where the engine says its layers are
	heads sync.Map                                     // token: status the registry answers; else 401
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.pull = func(http.ResponseWriter, *http.Request) { w.have.Store(true) }
	registry := httptest.NewServer(http.HandlerFunc(w.serveRegistry))
	t.Cleanup(registry.Close)
	socket := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	engine := httptest.NewUnstartedServer(http.HandlerFunc(w.serveEngine))
	require.NoError(t, engine.Listener.Close())
	engine.Listener = l
	engine.Start()
	t.Cleanup(engine.Close)
	w.Client, err = New(Config{Host: "unix://" + socket, Registry: strings.TrimPrefix(registry.URL, "http://"), Backoff: time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

func (w *world) serveRegistry(rw http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	status, ok := w.heads.Load(token)
	switch {
	case r.Method != http.MethodHead || r.URL.Path != "/v2/demo/app/manifests/"+someDigest && r.URL.Path != "/v2/demo/app/manifests/1":
		rw.WriteHeader(http.StatusNotFound)
	case !ok:
		rw.WriteHeader(http.StatusUnauthorized)
	default:
		rw.WriteHeader(status.(func() int)())
	}
}

func always(status int) func() int { return func() int { return status } }

func (w *world) serveEngine(rw http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/_ping"):
		rw.Header().Set("Api-Version", "1.41")
	case strings.HasSuffix(r.URL.Path, "/info"):
		root, _ := w.root.Load().(string)
		_, _ = fmt.Fprintf(rw, `{"DockerRootDir":%q}`, root)
	case strings.HasSuffix(r.URL.Path, "/images/create"):
		w.pulls.Add(1)
		w.pull(rw, r)
	case strings.HasSuffix(r.URL.Path, "/json") && w.have.Load():
		_, _ = fmt.Fprintf(rw, `{"Id":%q}`, someID)
	default:
		rw.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(rw, `{"message":"No such image"}`)
	}
}

func request(token string) Request {
	return Request{Repository: "demo/app", Digest: someDigest, Token: token}
}

func TestAPullGivesTheTokenToTheEngine(t *testing.T) {
	w := newWorld(t)
	w.heads.Store("alice", always(200))
	w.pull = func(rw http.ResponseWriter, r *http.Request) {
		header, err := base64.URLEncoding.DecodeString(r.Header.Get("X-Registry-Auth"))
		assert.NoError(t, err)
		assert.JSONEq(t, `{"registrytoken":"alice"}`, string(header))
		assert.Equal(t, someDigest, r.URL.Query().Get("tag"))
		_, _ = fmt.Fprintln(rw, `{"status":"Downloading","progressDetail":{"current":7,"total":9},"id":"a"}`)
		w.have.Store(true)
	}
	var done, total int64
	id, err := w.Pull(t.Context(), request("alice"), func(e Event) { done, total = max(done, e.AllDone), max(total, e.AllTotal) })
	require.NoError(t, err)
	assert.Equal(t, someID, id)
	assert.Equal(t, []int64{7, 9}, []int64{done, total})
}

func TestAnImageOnTheHostIsUsedOnlyByThoseWhoMayReadIt(t *testing.T) {
	w := newWorld(t)
	w.have.Store(true)
	w.heads.Store("alice", always(200))
	w.heads.Store("bob", always(404))
	w.heads.Store("carol", always(403))
	id, err := w.Pull(t.Context(), request("alice"), nil)
	require.NoError(t, err)
	assert.Equal(t, someID, id)
	for token, want := range map[string]error{"bob": image.ErrNotFound, "carol": image.ErrDenied, "stranger": image.ErrUnauthorized, "": image.ErrUnauthorized} {
		id, err := w.Pull(t.Context(), request(token), nil)
		require.ErrorIs(t, err, want, token)
		assert.Empty(t, id)
		assert.NotContains(t, err.Error(), "stranger", "a token is no part of an error")
	}
	assert.Zero(t, w.pulls.Load())
}

func TestATagIsAskedForEveryTime(t *testing.T) {
	w := newWorld(t)
	w.have.Store(true)
	w.heads.Store("alice", always(200))
	_, err := w.Pull(t.Context(), Request{Repository: "demo/app", Tag: "1", Token: "alice"}, nil)
	require.NoError(t, err)
	assert.EqualValues(t, 1, w.pulls.Load(), "it may stand for something else now")
}

func TestCallersShareATransfer(t *testing.T) {
	w := newWorld(t)
	w.heads.Store("alice", always(200))
	w.heads.Store("bob", always(200))
	begun, goOn := make(chan struct{}), make(chan struct{})
	w.pull = func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-goOn
		w.have.Store(true)
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := w.Pull(ctx, request("alice"), nil); first <- err }()
	<-begun
	others := make(chan error, 8)
	for range cap(others) {
		go func() { _, err := w.Pull(t.Context(), request("bob"), nil); others <- err }()
	}
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, p := range w.Client.pulls {
			p.mu.Lock()
			defer p.mu.Unlock()
			return len(p.progress) == 9
		}
		return false
	}, 5*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	close(goOn)
	for range cap(others) {
		require.NoError(t, <-others, "who began it may leave")
	}
	assert.EqualValues(t, 1, w.pulls.Load())
}

func TestATransferEndsWithItsLastCaller(t *testing.T) {
	w := newWorld(t)
	w.heads.Store("alice", always(200))
	begun, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	w.pull = func(rw http.ResponseWriter, r *http.Request) {
		rw.(http.Flusher).Flush()
		begun <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	_, err := w.Pull(ctx, request("alice"), nil)
	require.ErrorIs(t, err, context.Canceled)
	<-ended

	w.pull = func(http.ResponseWriter, *http.Request) { w.have.Store(true) }
	_, err = w.Pull(t.Context(), request("alice"), nil)
	require.NoError(t, err, "nobody is made to join what was given up")
}

func TestWhatMayPassIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	answers := make(chan int, 2)
	answers <- 503
	answers <- 200
	w.heads.Store("alice", func() int { return <-answers })
	w.pull = func(rw http.ResponseWriter, _ *http.Request) {
		if w.pulls.Load() < 3 {
			_ = json.NewEncoder(rw).Encode(map[string]string{"error": "received unexpected HTTP status: 503 Service Unavailable"})
			return
		}
		w.have.Store(true)
	}
	_, err := w.Pull(t.Context(), request("alice"), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 3, w.pulls.Load())
}

func TestWhatStaysWrongIsTriedOnce(t *testing.T) {
	for text, want := range map[string]error{
		"manifest for demo/app@sha256:00 not found: manifest unknown": image.ErrNotFound,
		"unknown blob":                        image.ErrNotFound,
		"unauthorized: the token has expired": image.ErrUnauthorized,
		"denied: not yours":                   image.ErrDenied,
		"failed to register layer: write /x: no space left on device":                   ErrNoSpace,
		"failed to register layer: mkdir /x: not found: write: no space left on device": ErrNoSpace,
	} {
		w := newWorld(t)
		w.heads.Store("alice", always(200))
		w.pull = func(rw http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(rw).Encode(map[string]string{"error": text})
		}
		_, err := w.Pull(t.Context(), request("alice"), nil)
		require.ErrorIs(t, err, want)
		assert.ErrorContains(t, err, text)
		assert.EqualValues(t, 1, w.pulls.Load(), text)
	}
}

func TestTriesEnd(t *testing.T) {
	for text, says := range map[string]string{
		`Get "https://10.0.0.9:5000/v2/": http: server gave HTTP response to HTTPS client`: "HTTPS client",
		`Get "https://r:5000/v2/": dial tcp: lookup r: no such host (not found)`:           "no such host",
	} {
		w := newWorld(t)
		w.heads.Store("alice", always(200))
		w.pull = func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(rw).Encode(map[string]string{"message": text})
		}
		_, err := w.Pull(t.Context(), request("alice"), nil)
		require.ErrorIs(t, err, image.ErrUnavailable)
		assert.ErrorContains(t, err, says)
		assert.EqualValues(t, 4, w.pulls.Load())
	}
}

func TestWhoeverDoesNotAnswerIsNamed(t *testing.T) {
	w := newWorld(t)
	w.heads.Store("alice", always(200))
	down, err := New(Config{Host: "unix:///nonexistent/docker.sock", Registry: w.cfg.Registry, Backoff: time.Millisecond})
	require.NoError(t, err)
	_, err = down.Pull(t.Context(), request("alice"), nil)
	require.ErrorIs(t, err, image.ErrUnavailable)
	assert.ErrorContains(t, err, "Docker does not answer at unix:///nonexistent/docker.sock")
	require.NoError(t, down.Close())

	w.cfg.Registry = "127.0.0.1:1"
	_, err = w.Pull(t.Context(), request("alice"), nil)
	require.ErrorIs(t, err, image.ErrUnavailable)
	assert.ErrorContains(t, err, "the registry 127.0.0.1:1 does not answer")
}

func TestRequestsThatCannotBeMet(t *testing.T) {
	w := newWorld(t)
	for _, r := range []Request{{}, {Repository: "demo/app"}, {Repository: "demo/app", Digest: "sha256:12"}, {Repository: "Demo/../app", Tag: "1"}, {Repository: "app", Tag: "1"}} {
		_, err := w.Pull(t.Context(), r, nil)
		require.ErrorIs(t, err, image.ErrInvalid, r)
		require.ErrorIs(t, w.Push(t.Context(), "x", r, nil), image.ErrInvalid, r)
	}
	_, err := New(Config{})
	require.ErrorIs(t, err, image.ErrInvalid)
}

func TestTheRegistrysSchemeIsTheEngines(t *testing.T) {
	for registry, want := range map[string]string{"127.0.0.1:5000": "http", "localhost:5000": "http", "[::1]:5000": "http", "10.0.0.1:5000": "https", "registry.cloud:443": "https"} {
		assert.Equal(t, want, Config{Registry: registry}.withDefaults().Scheme, registry)
	}
}
