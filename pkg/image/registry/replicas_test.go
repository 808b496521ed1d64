package registry_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// newReplicas starts registries a and b on one cloud, and returns a server whose requests go to them in turns.
func newReplicas(t *testing.T) (front *server, a, b *server) {
	t.Helper()
	urls := map[string]*url.URL{}
	at := map[string]*server{}
	var servers []*httptest.Server
	for _, name := range []string{"a", "b"} { // the addresses are known before the registries
		srv := httptest.NewUnstartedServer(nil)
		urls[name] = &url.URL{Scheme: "http", Host: srv.Listener.Addr().String()}
		servers = append(servers, srv)
	}
	cloud := imagetest.NewCloud()
	for i, name := range []string{"a", "b"} {
		other := map[string]string{"a": "b", "b": "a"}[name]
		s := newServer(t, func(c *registry.Config) {
			c.Stores = func(_ context.Context, id registry.Identity) (image.Store, error) {
				return cloud.Store(id.Project), nil
			}
			c.Replicas = registry.Replicas{Name: name, Others: map[string]*url.URL{other: urls[other]}}
		})
		servers[i].Config.Handler = s.h
		servers[i].Start()
		t.Cleanup(servers[i].Close)
		s.url, at[name] = servers[i].URL, s
	}
	var mu sync.Mutex
	n := 0
	balancer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		s := at[[]string{"a", "b"}[n%2]]
		mu.Unlock()
		s.h.ServeHTTP(w, r)
	}))
	t.Cleanup(balancer.Close)
	return &server{t: t, url: balancer.URL, cloud: cloud}, at["a"], at["b"]
}

func TestTwoReplicasBehindOneAddressTakeAPush(t *testing.T) {
	s, a, b := newReplicas(t)
	f := imagetest.NewFixture("a", "b", "c")
	s.push("demo/app", "1", f)
	for range 2 {
		require.Equal(t, f.Manifest.Body, s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/manifests/1"}).body)
	}
	blob := bytes.Repeat([]byte("x"), 3<<20)
	path := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	for i := range 6 { // chunk by chunk, each at the other one
		part := blob[i<<19 : (i+1)<<19]
		path = s.want(http.StatusAccepted, ask{method: "PATCH", path: path, body: part, chunked: true}).header.Get("Location")
		status := s.want(http.StatusNoContent, ask{method: "GET", path: path})
		require.Equal(t, "0-"+strconv.Itoa((i+1)<<19-1), status.header.Get("Range"))
	}
	s.want(http.StatusCreated, ask{method: "PUT", path: path + "?digest=" + sum(blob)})
	require.Equal(t, blob, s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/blobs/" + sum(blob)}).body)
	path = a.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	b.want(http.StatusForbidden, ask{method: "PATCH", path: path, token: "alt", body: []byte("x")})
	b.want(http.StatusNotFound, ask{method: "PATCH", path: path, body: []byte("x"), header: map[string]string{"Moset-Replica": "a"}})
	b.want(http.StatusNoContent, ask{method: "DELETE", path: path})
	require.Zero(t, a.h.OpenUploads())
}

func TestAnUploadWhoseReplicaIsGoneBeginsAgain(t *testing.T) {
	dead := httptest.NewServer(nil)
	gone, err := url.Parse(dead.URL)
	require.NoError(t, err)
	dead.Close()
	s := newServer(t, func(c *registry.Config) {
		c.Replicas = registry.Replicas{Name: "a", Others: map[string]*url.URL{"b": gone}}
	})
	for _, upload := range []string{"b.SOMETHING", "c.SOMETHING", "a.SOMETHING", "SOMETHING", ".", "..x"} {
		r := s.do(ask{method: "PATCH", path: "/v2/demo/app/blobs/uploads/" + strings.ReplaceAll(upload, "..x", "%2e%2e"), body: []byte("x")})
		require.Contains(t, []int{404, 307, 400}, r.status, upload)
	}
	r := s.want(http.StatusNotFound, ask{method: "PUT", path: "/v2/demo/app/blobs/uploads/b.SOMETHING?digest=" + sum([]byte("x"))})
	require.Equal(t, "BLOB_UPLOAD_UNKNOWN", r.code(t))
	s.want(http.StatusUnauthorized, ask{method: "PATCH", path: "/v2/demo/app/blobs/uploads/b.SOMETHING", token: "stranger"})
}

func TestReplicasThatCannotBeToldApartAreRefused(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: "x:1"}
	for _, r := range []registry.Replicas{
		{Name: "a.b"}, {Others: map[string]*url.URL{"b": u}}, {Name: "a", Others: map[string]*url.URL{"a": u}},
		{Name: "a", Others: map[string]*url.URL{"b": nil}}, {Name: "a", Others: map[string]*url.URL{"b": {Path: "x"}}},
	} {
		_, err := registry.New(registry.Config{Auth: identities{}, Stores: func(context.Context, registry.Identity) (image.Store, error) { return nil, nil }, Replicas: r})
		require.ErrorIs(t, err, image.ErrInvalid, "%v", r)
	}
}

func TestDrainingLetsOpenUploadsEndAndTakesNoNewOnes(t *testing.T) {
	s := newServer(t, nil)
	blob := []byte("half a blob")
	path := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	s.want(http.StatusOK, ask{method: "GET", path: "/readyz"})
	drained := make(chan struct{})
	go func() { s.h.Drain(context.Background()); close(drained) }()
	require.Eventually(t, func() bool { return s.do(ask{method: "GET", path: "/readyz"}).status == 503 }, 20*time.Second, 5*time.Millisecond)
	r := s.want(http.StatusServiceUnavailable, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"})
	require.Equal(t, "UNAVAILABLE", r.code(t))
	require.Equal(t, "1", r.header.Get("Retry-After"))
	path = s.want(http.StatusAccepted, ask{method: "PATCH", path: path, body: blob}).header.Get("Location")
	select {
	case <-drained:
		t.Fatal("drained under an open upload")
	default:
	}
	s.want(http.StatusCreated, ask{method: "PUT", path: path + "?digest=" + sum(blob)})
	<-drained
	s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/blobs/" + sum(blob)})

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s = newServer(t, nil)
	s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"})
	s.h.Drain(ctx) // returns although an upload is open
	require.Equal(t, 1, s.h.OpenUploads())
}

func TestAReplicaThatIsStoppedHandsNewUploadsOver(t *testing.T) {
	_, a, b := newReplicas(t)
	a.h.Drain(t.Context())
	a.push("demo/app", "1", imagetest.NewFixture("a"))
	b.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/manifests/1"})
	b.h.Drain(t.Context())
	a.want(http.StatusServiceUnavailable, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"})
}

func TestRequestsAreObserved(t *testing.T) {
	var mu sync.Mutex
	var seen []registry.Observation
	failing := false
	s := newServer(t, func(c *registry.Config) {
		c.Observe = func(o registry.Observation) {
			mu.Lock()
			defer mu.Unlock()
			o.Took = min(o.Took, 1)
			seen = append(seen, o)
		}
		c.Ready = func(context.Context) error {
			if failing {
				return errors.New("down")
			}
			return nil
		}
	})
	blob := []byte("0123456789")
	s.want(http.StatusCreated, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=" + sum(blob), body: blob})
	s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/blobs/" + sum(blob)})
	s.want(http.StatusNotFound, ask{method: "GET", path: "/nothing"})
	s.want(http.StatusOK, ask{method: "GET", path: "/readyz"})
	failing = true
	s.want(http.StatusServiceUnavailable, ask{method: "GET", path: "/readyz"})
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(seen) == 5 }, 20*time.Second, time.Millisecond)
	require.Equal(t, registry.Observation{Kind: "upload", Method: "POST", Status: 201, Took: 1, Received: 10}, seen[0])
	require.Equal(t, registry.Observation{Kind: "blob", Method: "GET", Status: 200, Took: 1, Sent: 10}, seen[1])
	require.Equal(t, "other", seen[2].Kind)
}
