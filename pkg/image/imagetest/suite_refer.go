package imagetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

// referrers are the digests that the store says are about d, sorted.
func referrers(t *testing.T, s image.Store, repo string, d digest.Digest) []v1.Descriptor {
	t.Helper()
	var all []v1.Descriptor
	for desc, err := range s.Referrers(t.Context(), repo, d) {
		require.NoError(t, err)
		all = append(all, desc)
	}
	slices.SortFunc(all, func(a, b v1.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	return all
}

func testReferrers(t *testing.T, p Projects) {
	s, subject := p.Store("demo"), digest.SHA512.FromString("not pushed yet")
	require.Empty(t, referrers(t, s, "demo/app", subject))
	var want []v1.Descriptor
	for _, kind := range []string{"application/x.signature", "application/x.sbom"} {
		a := NewArtifact(kind, subject, kind)
		for range 2 { // the second time changes nothing
			push(t, s, "demo/app@"+a.Manifest.Digest.String(), a)
		}
		d, err := a.Manifest.Descriptor()
		require.NoError(t, err)
		require.Equal(t, kind, d.ArtifactType)
		require.NotEmpty(t, d.Annotations)
		want = append(want, d)
	}
	push(t, s, "demo/app:other", NewArtifact("application/x", digest.FromString("another subject"), "x"))
	slices.SortFunc(want, func(a, b v1.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	require.Equal(t, want, referrers(t, s, "demo/app", subject))
	require.Empty(t, referrers(t, p.Store("alt"), "demo/app", subject))
	require.Empty(t, referrers(t, p.Store("alt"), "alt/app", subject))

	require.NoError(t, s.DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: want[0].Digest}))
	require.Equal(t, want[1:], referrers(t, s, "demo/app", subject))
	n := 0
	for range s.Referrers(t.Context(), "demo/app", subject) {
		n++
		break // and the rest is not asked for
	}
	require.Equal(t, 1, n)
}

func testArtifacts(t *testing.T, p Projects) {
	s, blob := p.Store("demo"), []byte("a blob")
	_, err := Upload(t.Context(), s, "demo/app", blob, digest.FromBytes(blob))
	require.NoError(t, err)
	m := manifestOf("application/vnd.example.bundle+json", map[string]any{
		"blobs": []v1.Descriptor{{MediaType: "text/plain", Digest: digest.FromBytes(blob), Size: int64(len(blob))}},
	})
	require.NoError(t, s.PutManifest(t.Context(), ref(t, "demo/app:bundle"), m))
	got, err := s.Manifest(t.Context(), ref(t, "demo/app:bundle"))
	require.NoError(t, err)
	require.Equal(t, m, got)
	require.ErrorIs(t, s.DeleteBlob(t.Context(), "demo/app", digest.FromBytes(blob)), image.ErrDenied)
	_, err = s.Resolve(t.Context(), ref(t, "demo/app:bundle"))
	require.ErrorIs(t, err, image.ErrInvalid)
	lacks := manifestOf("application/vnd.example.bundle+json", map[string]any{"layers": []v1.Descriptor{{Digest: digest.FromString("gone"), Size: 4}}})
	require.ErrorIs(t, s.PutManifest(t.Context(), ref(t, "demo/app:2"), lacks), image.ErrBlobUnknown)
}

func testDeleteBlob(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a", "b")
	push(t, s, "demo/app:1", f)
	layer, config := digest.FromBytes(f.Layers[1]), digest.FromBytes(f.Config)
	for _, d := range []digest.Digest{layer, config, f.Manifest.Digest} {
		require.ErrorIs(t, s.DeleteBlob(t.Context(), "demo/app", d), image.ErrDenied)
		_, err := s.Stat(t.Context(), "demo/app", d)
		require.NoError(t, err)
	}
	require.Len(t, walk(t, s, "demo/app:1"), 2)
	require.ErrorIs(t, p.Store("alt").DeleteBlob(t.Context(), "demo/app", layer), image.ErrDenied)
	require.ErrorIs(t, p.Store("alt").DeleteBlob(t.Context(), "alt/app", layer), image.ErrNotFound)

	require.NoError(t, s.DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest}))
	require.NoError(t, s.DeleteBlob(t.Context(), "demo/other", layer))
	_, err := s.Stat(t.Context(), "demo/app", layer)
	require.ErrorIs(t, err, image.ErrNotFound)
	require.ErrorIs(t, s.DeleteBlob(t.Context(), "demo/app", layer), image.ErrNotFound)
	push(t, s, "demo/app:1", f)
	require.Len(t, walk(t, s, "demo/app:1"), 2)
}

// testDeleteBlobRace: a push that was told yes keeps its blobs, whatever is deleted at the same time.
func testDeleteBlobRace(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a")
	layer := digest.FromBytes(f.Layers[0])
	for range 10 {
		var wg sync.WaitGroup
		var pushed, deleted error
		_, err := Upload(t.Context(), s, "demo/app", f.Layers[0], layer)
		require.NoError(t, err)
		wg.Go(func() {
			pushed = Push(context.Background(), s, image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest}, f)
		})
		wg.Go(func() { deleted = s.DeleteBlob(context.Background(), "demo/app", layer) })
		wg.Wait()
		require.True(t, deleted == nil || errors.Is(deleted, image.ErrDenied) || errors.Is(deleted, image.ErrNotFound), "%v", deleted)
		if pushed != nil {
			require.ErrorIs(t, pushed, image.ErrBlobUnknown)
			continue
		}
		_, err = s.Stat(t.Context(), "demo/app", layer)
		require.NoError(t, err, "the manifest was accepted and a layer is gone")
		require.NoError(t, s.DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest}))
	}
}
