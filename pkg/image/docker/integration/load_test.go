package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// wire is what goes between a client and a registry: it counts, and can lie.
type wire struct {
	registry http.Handler
	mu       sync.Mutex
	blobs    map[string]int // GETs by digest
	spoil    string         // digest of a blob that is sent with other bytes
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	_, blob, isBlob := strings.Cut(r.URL.Path, "/blobs/")
	w.mu.Lock()
	if isBlob && r.Method == http.MethodGet {
		w.blobs[blob]++
	}
	spoil := w.spoil != "" && blob == w.spoil
	w.mu.Unlock()
	if spoil {
		rw = spoiler{rw}
	}
	w.registry.ServeHTTP(rw, r)
}

func (w *wire) fetched(d digest.Digest) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blobs[d.String()]
}

// spoiler flips what passes.
type spoiler struct{ http.ResponseWriter }

func (s spoiler) Write(p []byte) (int, error) {
	bad := make([]byte, len(p))
	for i := range p {
		bad[i] = ^p[i]
	}
	return s.ResponseWriter.Write(bad)
}

// newLoadLab is a lab whose registry has a certificate that the engine knows nothing of.
func newLoadLab(t *testing.T) (*lab, *wire) {
	t.Helper()
	l := newLab(t)
	h, err := registry.New(registry.Config{Auth: keys{}, Stores: func(_ context.Context, id registry.Identity) (image.Store, error) {
		return l.cloud.Store(id.Project), nil
	}})
	require.NoError(t, err)
	w := &wire{registry: h, blobs: map[string]int{}}
	s := httptest.NewTLSServer(w)
	t.Cleanup(func() { s.Close(); require.NoError(t, h.Close()) })
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	l.registry = strings.TrimPrefix(s.URL, "https://")
	require.NoError(t, l.Close())
	l.Client, err = docker.New(docker.Config{Host: os.Getenv("MOSET_TEST_DOCKER"), Registry: l.registry, Scheme: "https", Transfer: docker.TransferLoad,
		TLS: &tls.Config{RootCAs: roots}, Backoff: time.Millisecond})
	require.NoError(t, err)
	return l, w
}

// loads pulls an image that is removed with the test.
func (l *lab) loads(r docker.Request) string {
	l.t.Helper()
	id, err := l.Pull(l.t.Context(), r, nil)
	require.NoError(l.t, err)
	l.t.Cleanup(func() { require.NoError(l.t, l.Remove(context.Background(), id)) })
	return id
}

// files are those in the root of an image.
func (l *lab) files(id string) (names []string) {
	l.t.Helper()
	c, err := l.engine.ContainerCreate(l.t.Context(), &container.Config{Image: id, Cmd: []string{"none"}}, nil, nil, nil, "")
	require.NoError(l.t, err)
	defer func() {
		require.NoError(l.t, l.engine.ContainerRemove(context.Background(), c.ID, container.RemoveOptions{}))
	}()
	for _, name := range []string{"file-0", "file-1", "file-2"} {
		if _, err := l.engine.ContainerStatPath(l.t.Context(), c.ID, "/"+name); err == nil {
			names = append(names, name)
		}
	}
	return names
}

func TestLoadBringsOnlyTheLayersThatAreMissing(t *testing.T) {
	l, w := newLoadLab(t)
	base, bf := l.publish("demo/app", t.Name()+"1", t.Name()+"2")
	child, cf := l.publish("demo/child", t.Name()+"1", t.Name()+"2", t.Name()+"3")
	id := l.loads(base)
	assert.Equal(t, digest.FromBytes(bf.Config).String(), id)
	assert.Equal(t, id, l.loads(base))
	assert.Empty(t, l.tags(id))

	var done, total int64
	id, err := l.Pull(t.Context(), child, func(e docker.Event) { done, total = max(done, e.AllDone), max(total, e.AllTotal) })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Remove(context.Background(), id)) })
	assert.Equal(t, digest.FromBytes(cf.Config).String(), id)
	assert.EqualValues(t, len(cf.Layers[2]), total)
	assert.Equal(t, total, done)
	for i, layer := range cf.Layers {
		assert.Equal(t, 1, w.fetched(digest.FromBytes(layer)), "layer %d", i)
	}
	assert.Equal(t, []string{"file-0", "file-1", "file-2"}, l.files(id))
}

func TestLoadNeedsTheRightAnImageOnTheHostToo(t *testing.T) {
	l, _ := newLoadLab(t)
	r, f := l.publish("demo/app", t.Name())
	l.loads(r)
	for token, want := range map[string]error{"token-of-alt": image.ErrNotFound, "": image.ErrUnauthorized, "old": image.ErrUnauthorized} {
		r.Token = token
		_, err := l.Pull(t.Context(), r, nil)
		require.ErrorIs(t, err, want)
	}
	missing := docker.Request{Repository: "demo/app", Digest: digest.FromBytes(f.Layers[0]).String(), Token: "token-of-demo"}
	_, err := l.Pull(t.Context(), missing, nil)
	require.ErrorIs(t, err, image.ErrNotFound)
}

func TestLoadRefusesOtherBytesThanTheDigestSays(t *testing.T) {
	l, w := newLoadLab(t)
	r, f := l.publish("demo/app", t.Name()+"1", t.Name()+"2")
	for what, blob := range map[string][]byte{"layer": f.Layers[1], "config": f.Config} {
		w.spoil = digest.FromBytes(blob).String()
		_, err := l.Pull(t.Context(), r, nil)
		require.ErrorIs(t, err, image.ErrUnavailable, what)
		assert.ErrorContains(t, err, "other bytes than", what)
		_, err = l.engine.ImageInspect(t.Context(), digest.FromBytes(f.Config).String())
		require.Error(t, err, "nothing of it is on the host")
	}
	w.spoil = ""
	l.loads(r)
}

func TestLoadsAtOnceAreOne(t *testing.T) {
	l, w := newLoadLab(t)
	r, f := l.publish("demo/app", t.Name())
	ids := make(chan string, 10)
	for range cap(ids) {
		go func() {
			id, err := l.Pull(t.Context(), r, nil)
			assert.NoError(t, err)
			ids <- id
		}()
	}
	first := <-ids
	for range cap(ids) - 1 {
		assert.Equal(t, first, <-ids)
	}
	l.loads(r)
	assert.Equal(t, 1, w.fetched(digest.FromBytes(f.Layers[0])))
}

func TestALayerRemovedMeanwhileIsLoadedAgain(t *testing.T) {
	l, _ := newLoadLab(t)
	base, _ := l.publish("demo/app", t.Name()+"1", t.Name()+"2")
	child, cf := l.publish("demo/child", t.Name()+"1", t.Name()+"2", t.Name()+"3")
	id, err := l.Pull(t.Context(), base, nil)
	require.NoError(t, err)
	id2 := l.loads(child)
	require.NoError(t, l.Remove(t.Context(), id2))
	_, err = l.engine.ImageRemove(t.Context(), id, dockerimage.RemoveOptions{PruneChildren: true})
	require.NoError(t, err)
	assert.Equal(t, digest.FromBytes(cf.Config).String(), l.loads(child))
	assert.Equal(t, []string{"file-0", "file-1", "file-2"}, l.files(digest.FromBytes(cf.Config).String()))
}

func TestLoadTakesThePartForThisPlatform(t *testing.T) {
	l, _ := newLoadLab(t)
	_, f := l.publish("demo/app", t.Name())
	index := imagetest.NewIndex(f)
	require.NoError(t, l.cloud.Store("demo").PutManifest(t.Context(), image.Ref{Repo: "demo/app"}, index))
	id := l.loads(docker.Request{Repository: "demo/app", Digest: index.Digest.String(), Token: "token-of-demo"})
	assert.Equal(t, digest.FromBytes(f.Config).String(), id)
}

func TestALoadThatItsCallerLeftIsTakenUpAgain(t *testing.T) {
	l, _ := newLoadLab(t)
	r, _ := l.publish("demo/app", noise(4<<20))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := l.Pull(ctx, r, func(e docker.Event) {
		if e.Kind == docker.Downloading {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	l.loads(r)
}

func TestTwoImagesOnOneMissingBaseFetchItOnce(t *testing.T) {
	l, w := newLoadLab(t)
	one, of := l.publish("demo/one", noise(4<<20)+t.Name(), t.Name()+"1")
	two, tf := l.publish("demo/two", noise(4<<20)+t.Name(), t.Name()+"2")
	var both sync.WaitGroup
	for _, r := range []docker.Request{one, two} {
		both.Go(func() {
			id, err := l.Pull(context.Background(), r, nil)
			assert.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, l.Remove(context.Background(), id)) })
		})
	}
	both.Wait()
	require.Equal(t, of.Layers[0], tf.Layers[0])
	for _, layer := range [][]byte{of.Layers[0], of.Layers[1], tf.Layers[1]} {
		assert.Equal(t, 1, w.fetched(digest.FromBytes(layer)))
	}
}
