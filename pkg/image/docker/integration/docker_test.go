// Package integration has a real engine pull from and push to the registry of this project.
//
// MOSET_TEST_DOCKER names the engine's socket, as in unix:///run/docker.sock; make test starts one and sets it.
package integration

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// lab is a registry in this process, and a client that has the engine under test use it.
type lab struct {
	*docker.Client
	t        *testing.T
	registry string // host:port
	cloud    *imagetest.Cloud
	engine   *client.Client // to look behind the client's back
}

// keys knows two people, each with a project.
type keys struct{}

func (keys) Verify(_ context.Context, token string) (registry.Identity, error) {
	project, ok := strings.CutPrefix(token, "token-of-")
	if !ok {
		return registry.Identity{}, image.ErrUnauthorized
	}
	return registry.Identity{Token: token, ProjectID: project, Project: project}, nil
}

func newLab(t *testing.T) *lab { return newLabOf(t, nil) }

func newLabOf(t *testing.T, change func(*docker.Config)) *lab {
	t.Helper()
	host := os.Getenv("MOSET_TEST_DOCKER")
	require.NotEmpty(t, host, "set MOSET_TEST_DOCKER to the socket of a private Docker engine, or run make test")
	l := &lab{t: t, cloud: imagetest.NewCloud()}
	h, err := registry.New(registry.Config{Auth: keys{}, Stores: func(_ context.Context, id registry.Identity) (image.Store, error) {
		return l.cloud.Store(id.Project), nil
	}})
	require.NoError(t, err)
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.Close(); require.NoError(t, h.Close()) })
	l.registry = strings.TrimPrefix(s.URL, "http://")
	cfg := docker.Config{Host: host, Registry: l.registry}
	if change != nil {
		change(&cfg)
	}
	l.Client, err = docker.New(cfg)
	require.NoError(t, err)
	l.engine, err = client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		require.NoError(t, l.engine.Close())
	})
	return l
}

// publish puts an image of the given layers into the registry.
func (l *lab) publish(repo string, layers ...string) (docker.Request, imagetest.Fixture) {
	l.t.Helper()
	f := imagetest.NewFixture(layers...)
	project, _, _ := strings.Cut(repo, "/")
	require.NoError(l.t, imagetest.Push(l.t.Context(), l.cloud.Store(project), image.Ref{Repo: repo, Tag: "1"}, f))
	r := docker.Request{Repository: repo, Digest: f.Manifest.Digest.String(), Token: "token-of-" + project}
	l.t.Cleanup(func() { require.NoError(l.t, l.Remove(context.Background(), l.name(r))) })
	return r, f
}

func (l *lab) name(r docker.Request) string {
	return l.registry + "/" + r.Repository + "@" + r.Digest
}

// tags are the names an image has on the host.
func (l *lab) tags(id string) []string {
	l.t.Helper()
	have, err := l.engine.ImageInspect(l.t.Context(), id)
	require.NoError(l.t, err)
	return have.RepoTags
}

func TestPullByDigest(t *testing.T) {
	l := newLab(t)
	r, f := l.publish("demo/app", t.Name()+"1", t.Name()+"2")
	id, err := l.Pull(t.Context(), r, func(e docker.Event) { assert.LessOrEqual(t, e.AllDone, e.AllTotal) })
	require.NoError(t, err)
	assert.Equal(t, digest.FromBytes(f.Config).String(), id)
	assert.Empty(t, l.tags(id))
	again, err := l.Pull(t.Context(), r, nil)
	require.NoError(t, err)
	assert.Equal(t, id, again)

	require.NoError(t, l.Remove(t.Context(), id))
	require.NoError(t, l.Remove(t.Context(), id), "again changes nothing")
	_, err = l.engine.ImageInspect(t.Context(), id)
	require.Error(t, err)
}

func TestSizesOfLargeLayersAreCounted(t *testing.T) {
	l := newLab(t)
	r, f := l.publish("demo/big", noise(8<<20))
	var done, total int64
	_, err := l.Pull(t.Context(), r, func(e docker.Event) { done, total = max(done, e.AllDone), max(total, e.AllTotal) })
	require.NoError(t, err)
	assert.EqualValues(t, len(f.Layers[0]), total)
	assert.Equal(t, total, done)
}

// noise is text that does not compress to nothing.
func noise(n int) string {
	b := make([]byte, n)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = byte(state >> 24)
	}
	return string(b)
}

func TestManyAtOnce(t *testing.T) {
	l := newLab(t)
	r, _ := l.publish("demo/app", t.Name())
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
}

func TestRightsAreTheRegistrysToGive(t *testing.T) {
	l := newLab(t)
	r, f := l.publish("demo/app", t.Name())
	_, err := l.Pull(t.Context(), r, nil)
	require.NoError(t, err)
	for token, want := range map[string]error{"token-of-alt": image.ErrNotFound, "": image.ErrUnauthorized, "old": image.ErrUnauthorized} {
		r.Token = token
		_, err := l.Pull(t.Context(), r, nil)
		require.ErrorIs(t, err, want, "the image is on the host, but that is no right to it")
	}
	missing := docker.Request{Repository: "demo/app", Digest: digest.FromBytes(f.Layers[0]).String(), Token: "token-of-demo"}
	_, err = l.Pull(t.Context(), missing, nil)
	require.ErrorIs(t, err, image.ErrNotFound)
}

func TestPushLeavesTheNamesAsTheyWere(t *testing.T) {
	l := newLab(t)
	one, f := l.publish("demo/one", t.Name()+"1")
	two, _ := l.publish("demo/two", t.Name()+"2")
	id, err := l.Pull(t.Context(), one, nil)
	require.NoError(t, err)
	other, err := l.Pull(t.Context(), two, nil)
	require.NoError(t, err)
	to := docker.Request{Repository: "demo/pushed", Tag: "2", Token: "token-of-demo"}
	target := l.registry + "/demo/pushed:2"

	require.NoError(t, l.Tag(t.Context(), id, "moset-push-test:1"))
	t.Cleanup(func() { require.NoError(t, l.Remove(context.Background(), "moset-push-test:1")) })
	require.NoError(t, l.Push(t.Context(), "moset-push-test:1", to, nil))
	assert.Equal(t, []string{"moset-push-test:1"}, l.tags(id))
	got, err := l.cloud.Store("demo").Resolve(t.Context(), image.Ref{Repo: "demo/pushed", Tag: "2"})
	require.NoError(t, err)
	assert.Equal(t, digest.FromBytes(f.Config).String(), got.ID.String())

	require.NoError(t, l.Tag(t.Context(), other, target))
	require.NoError(t, l.Push(t.Context(), "moset-push-test:1", to, nil))
	assert.Equal(t, []string{target}, l.tags(other), "whose name it was has it back")

	require.NoError(t, l.Remove(t.Context(), "moset-push-test:1"))
	require.NoError(t, l.Remove(t.Context(), target))
	require.NoError(t, l.Push(t.Context(), id, to, nil))
	assert.Equal(t, []string{target}, l.tags(id), "an image without a name is not deleted by being pushed")
	require.NoError(t, l.Remove(t.Context(), target))
}

func TestAPushNeedsTheRight(t *testing.T) {
	l := newLab(t)
	r, _ := l.publish("demo/app", t.Name())
	id, err := l.Pull(t.Context(), r, nil)
	require.NoError(t, err)
	require.NoError(t, l.Tag(t.Context(), id, "moset-push-test:2"))
	t.Cleanup(func() { require.NoError(t, l.Remove(context.Background(), "moset-push-test:2")) })
	err = l.Push(t.Context(), "moset-push-test:2", docker.Request{Repository: "demo/x", Tag: "1", Token: "old"}, nil)
	require.ErrorIs(t, err, image.ErrUnauthorized)
	err = l.Push(t.Context(), "moset-push-test:2", docker.Request{Repository: "demo/x", Tag: "1", Token: "token-of-alt"}, nil)
	require.ErrorIs(t, err, image.ErrDenied)
	err = l.Push(t.Context(), "no-such-image:1", docker.Request{Repository: "demo/x", Tag: "1", Token: "token-of-demo"}, nil)
	require.ErrorIs(t, err, image.ErrNotFound)
	assert.Equal(t, []string{"moset-push-test:2"}, l.tags(id))
}

func TestAnImageInUseStays(t *testing.T) {
	l := newLab(t)
	r, _ := l.publish("demo/app", t.Name())
	id, err := l.Pull(t.Context(), r, nil)
	require.NoError(t, err)
	c, err := l.engine.ContainerCreate(t.Context(), &container.Config{Image: id, Cmd: []string{"none"}}, nil, nil, nil, "")
	require.NoError(t, err)
	err = l.Remove(t.Context(), id)
	require.ErrorIs(t, err, image.ErrUnavailable)
	assert.ErrorContains(t, err, "used by")
	require.NoError(t, l.engine.ContainerRemove(t.Context(), c.ID, container.RemoveOptions{}))
	require.NoError(t, l.Remove(t.Context(), id))
}

func TestARegistryThatIsDownIsNamed(t *testing.T) {
	l := newLab(t)
	r, _ := l.publish("demo/app", t.Name())
	id, err := l.Pull(t.Context(), r, nil)
	require.NoError(t, err)
	down, err := docker.New(docker.Config{Host: os.Getenv("MOSET_TEST_DOCKER"), Registry: "127.0.0.1:1", Backoff: time.Millisecond})
	require.NoError(t, err)
	defer func() { require.NoError(t, down.Close()) }()
	_, err = down.Pull(t.Context(), r, nil)
	require.ErrorIs(t, err, image.ErrUnavailable)
	assert.ErrorContains(t, err, "the registry 127.0.0.1:1 does not answer")
	err = down.Push(t.Context(), id, docker.Request{Repository: "demo/app", Tag: "2", Token: "token-of-demo"}, nil)
	require.ErrorIs(t, err, image.ErrUnavailable)
	assert.ErrorContains(t, err, "127.0.0.1:1")
	require.NoError(t, down.Remove(t.Context(), "127.0.0.1:1/demo/app:2"))
}

func TestWhatWasPushedIsPulledAsItWas(t *testing.T) {
	l := newLab(t)
	r, _ := l.publish("demo/app", t.Name()+"1", t.Name()+"2")
	id, err := l.Pull(t.Context(), r, nil)
	require.NoError(t, err)
	to := docker.Request{Repository: "demo/copy", Tag: "1", Token: "token-of-demo"}
	require.NoError(t, l.Push(t.Context(), id, to, nil))
	pushed, err := l.cloud.Store("demo").Resolve(t.Context(), image.Ref{Repo: "demo/copy", Tag: "1"})
	require.NoError(t, err)
	require.NoError(t, l.Remove(t.Context(), l.name(r)))
	require.NoError(t, l.Remove(t.Context(), l.registry+"/demo/copy:1"))
	require.NoError(t, l.Remove(t.Context(), id))

	to.Digest = pushed.Digest.String()
	t.Cleanup(func() { require.NoError(t, l.Remove(context.Background(), l.name(to))) })
	back, err := l.Pull(t.Context(), to, nil)
	require.NoError(t, err)
	assert.Equal(t, id, back)
}

func TestAPullThatItsCallerLeftIsTakenUpAgain(t *testing.T) {
	l := newLab(t)
	r, f := l.publish("demo/big", noise(8<<20)+t.Name())
	ctx, cancel := context.WithCancel(t.Context())
	_, err := l.Pull(ctx, r, func(e docker.Event) {
		if e.Kind == docker.Downloading || e.Kind == docker.Unpacking {
			cancel()
		}
	})
	cancel()
	require.ErrorIs(t, err, context.Canceled)
	id, err := l.Pull(t.Context(), r, nil)
	require.NoError(t, err)
	assert.Equal(t, digest.FromBytes(f.Config).String(), id)
}

func TestAPullTellsOfEachLayerAndWhatIsMissing(t *testing.T) {
	l := newLab(t)
	base, bf := l.publish("demo/base", noise(1<<20)+t.Name())
	missing, err := l.Missing(t.Context(), base)
	require.NoError(t, err)
	assert.EqualValues(t, len(bf.Layers[0]), missing.Bytes)
	assert.Len(t, missing.Layers, 1)
	_, err = l.Pull(t.Context(), base, nil)
	require.NoError(t, err)
	missing, err = l.Missing(t.Context(), base)
	require.NoError(t, err)
	assert.Zero(t, missing)

	child, cf := l.publish("demo/child", noise(1<<20)+t.Name(), t.Name()+"2")
	missing, err = l.Missing(t.Context(), child)
	require.NoError(t, err)
	assert.EqualValues(t, len(cf.Layers[1]), missing.Bytes, "the base is there")
	kinds := map[docker.Kind]int{}
	var last docker.Kind
	id, err := l.Pull(t.Context(), child, func(e docker.Event) { kinds[e.Kind]++; last = e.Kind })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Remove(context.Background(), id)) })
	assert.Equal(t, 1, kinds[docker.Present])
	assert.Equal(t, 1, kinds[docker.Ready])
	assert.Equal(t, docker.Complete, last)
}

func TestAPullThatWouldFillTheDiskIsRefusedAtOnce(t *testing.T) {
	l := newLabOf(t, func(c *docker.Config) { c.FreeSpace = func(string) (int64, error) { return 1 << 20, nil } })
	r, _ := l.publish("demo/big", noise(1<<20)+t.Name())
	begun := false
	_, err := l.Pull(t.Context(), r, func(e docker.Event) { begun = begun || e.Kind == docker.Downloading })
	require.ErrorIs(t, err, docker.ErrNoSpace)
	assert.ErrorContains(t, err, "make room")
	assert.False(t, begun)
}
