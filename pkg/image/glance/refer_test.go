package glance_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
)

func count(t *testing.T, s image.Store, subject digest.Digest) int {
	t.Helper()
	n := 0
	for _, err := range s.Referrers(t.Context(), "demo/app", subject) {
		require.NoError(t, err)
		n++
	}
	return n
}

func TestALinkIsOneHiddenRecordFoundByItsHash(t *testing.T) {
	for _, hash := range []string{"sha256", "sha512"} {
		b, subject := newBox(t, hash), digest.FromString("subject")
		s, a := b.Store("demo"), imagetest.NewArtifact("application/x", subject, "a")
		require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), a))
		links := b.images("os_hidden=true&os_hash_value=" + digest.Algorithm(hash).FromString("subject:"+subject.String()).Encoded())
		require.Len(t, links, 1)
		require.Equal(t, "link", links[0]["docker_kind"])
		require.Equal(t, subject.String(), links[0]["docker_subject"])
		require.Equal(t, a.Manifest.Digest.String(), links[0]["docker_manifest"])
		require.Equal(t, true, links[0]["protected"])
		before := b.glance.Writes()
		require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), a))
		require.Equal(t, before, b.glance.Writes(), "the same push again writes nothing")
		require.NoError(t, s.DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: a.Manifest.Digest}))
		require.Empty(t, b.images("os_hidden=true&docker_kind=link"))
	}
}

func TestALostLinkComesBackWithTheNextPush(t *testing.T) {
	b, subject := newBox(t, "sha256"), digest.FromString("subject")
	s, a := b.Store("demo"), imagetest.NewArtifact("application/x", subject, "a")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), a))
	b.drop(b.images("os_hidden=true&docker_kind=link")[0]["id"])
	require.Zero(t, count(t, s, subject))
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), a))
	require.Equal(t, 1, count(t, s, subject))
}

// drop deletes a record as an administrator would.
func (b *box) drop(id any) {
	b.t.Helper()
	path := fmt.Sprint("/v2/images/", id)
	status, _ := b.raw("PATCH", path, "token-admin", `[{"op":"replace","path":"/protected","value":false}]`)
	require.Equal(b.t, 200, status)
	status, _ = b.raw("DELETE", path, "token-admin", "")
	require.Equal(b.t, 204, status)
}

func TestALinkWithoutItsManifestShowsNothing(t *testing.T) {
	b, subject := newBox(t, "sha256"), digest.FromString("subject")
	s, a := b.Store("demo"), imagetest.NewArtifact("application/x", subject, "a")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), a))
	b.drop(b.images("os_hidden=true&docker_kind=manifest")[0]["id"])
	require.Zero(t, count(t, s, subject))
}

func TestPushesOfOneArtifactAtOnceShowItOnce(t *testing.T) {
	b, subject := newBox(t, "sha256"), digest.FromString("subject")
	a := imagetest.NewArtifact("application/x", subject, "a")
	require.NoError(t, imagetest.Push(t.Context(), b.Store("demo"), at(t, "app:1"), a))
	ended := make(chan error, 4)
	b.drop(b.images("os_hidden=true&docker_kind=link")[0]["id"])
	for range cap(ended) {
		s := b.Store("demo")
		go func() {
			ended <- s.PutManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: a.Manifest.Digest}, a.Manifest)
		}()
	}
	for range cap(ended) {
		require.NoError(t, <-ended)
	}
	require.Equal(t, 1, count(t, b.Store("demo"), subject))
	require.NoError(t, b.Store("demo").DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: a.Manifest.Digest}))
	require.Empty(t, b.images("os_hidden=true&docker_kind=link"))
}

func TestABlobOfAVeryLongManifestIsNotDeleted(t *testing.T) {
	b := newBox(t, "sha256")
	s, blob := b.Store("demo"), []byte("x")
	d := digest.FromBytes(blob)
	_, err := imagetest.Upload(t.Context(), s, "demo/app", blob, d)
	require.NoError(t, err)
	layers := make([]v1.Descriptor, 1000)
	for i := range layers {
		layers[i] = v1.Descriptor{MediaType: "text/plain", Digest: d, Size: 1}
	}
	body, err := json.Marshal(map[string]any{"layers": layers})
	require.NoError(t, err)
	m, err := image.NewManifest("application/vnd.example+json", body)
	require.NoError(t, err)
	require.NoError(t, s.PutManifest(t.Context(), at(t, "app:1"), m))
	require.Nil(t, b.images("os_hidden=true&docker_kind=manifest")[0]["docker_needs"], "it would not fit")
	require.ErrorIs(t, s.DeleteBlob(t.Context(), "demo/app", d), image.ErrDenied)
	found := b.images("os_hidden=true&name=" + url.QueryEscape("eq:"+d.String()))
	require.Len(t, found, 1)
	require.Equal(t, true, found[0]["protected"], "as it was")
}

func TestTheSameBytesMayComeAgainAsAnotherType(t *testing.T) {
	s := newBox(t, "sha256").Store("demo")
	for _, mediaType := range []string{"application/vnd.a+json", "application/vnd.b+json"} {
		m, err := image.NewManifest(mediaType, []byte(`{}`))
		require.NoError(t, err)
		require.NoError(t, s.PutManifest(t.Context(), at(t, "app:1"), m))
		got, err := s.Manifest(t.Context(), at(t, "app:1"))
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
}
