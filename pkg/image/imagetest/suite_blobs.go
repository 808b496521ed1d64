package imagetest

import (
	"context"
	"io"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

func testRanges(t *testing.T, p Projects) {
	s, d := p.Store("demo"), digest.FromString("0123456789")
	b, err := Upload(t.Context(), s, "demo/app", []byte("0123456789"), d)
	require.NoError(t, err)
	require.Equal(t, int64(10), b.Size)
	for want, r := range map[string]image.Range{
		"0123456789": {}, "3456789": {Start: 3}, "34": {Start: 3, Length: 2}, "9": {Start: 9, Length: 1},
	} {
		require.Equal(t, want, read(t, s, "demo/app", d, r))
	}
	empty := digest.FromString("")
	_, err = Upload(t.Context(), s, "demo/app", nil, empty)
	require.NoError(t, err)
	require.Empty(t, read(t, s, "demo/app", empty, image.Range{}))
}

func read(t *testing.T, s image.Store, repo string, d digest.Digest, r image.Range) string {
	t.Helper()
	body, err := s.Open(t.Context(), repo, d, r)
	require.NoError(t, err)
	defer body.Close()
	got, err := io.ReadAll(body)
	require.NoError(t, err)
	return string(got)
}

func testMismatch(t *testing.T, p Projects) {
	s := p.Store("demo")
	for _, d := range []digest.Digest{digest.FromString("right"), digest.SHA512.FromString("right")} {
		_, err := Upload(t.Context(), s, "demo/app", []byte("wrong"), d)
		require.ErrorIs(t, err, image.ErrDigestMismatch)
		_, err = s.Stat(t.Context(), "demo/app", d)
		require.ErrorIs(t, err, image.ErrNotFound)
	}
	_, err := s.Stat(t.Context(), "demo/app", digest.FromString("wrong"))
	require.ErrorIs(t, err, image.ErrNotFound)
	m := NewFixture("a").Manifest
	m.Digest = digest.FromString("another")
	require.ErrorIs(t, s.PutManifest(t.Context(), ref(t, "demo/app:1"), m), image.ErrDigestMismatch)
}

func testAbort(t *testing.T, p Projects) {
	s := p.Store("demo")
	up, err := s.Create(t.Context(), "demo/app")
	require.NoError(t, err)
	_, err = up.Write([]byte("half"))
	require.NoError(t, err)
	require.NoError(t, up.Abort(t.Context()))
	require.NoError(t, up.Abort(t.Context()))
	_, err = s.Stat(t.Context(), "demo/app", digest.FromString("half"))
	require.ErrorIs(t, err, image.ErrNotFound)
}

func testConcurrentUploads(t *testing.T, p Projects) {
	s, d := p.Store("demo"), digest.FromString("same")
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = Upload(context.Background(), s, "demo/app", []byte("same"), d) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, "same", read(t, s, "demo/app", d, image.Range{}))
}

func testSHA512(t *testing.T, p Projects) {
	s, d := p.Store("demo"), digest.SHA512.FromString("long")
	_, err := Upload(t.Context(), s, "demo/app", []byte("long"), d)
	require.NoError(t, err)
	b, err := s.Stat(t.Context(), "demo/app", d)
	require.NoError(t, err)
	require.Equal(t, d, b.Digest)
	require.Equal(t, "long", read(t, s, "demo/app", d, image.Range{}))
}

func testMissingBlob(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a", "b")
	push(t, s, "demo/app:1", NewFixture("a"))
	require.ErrorIs(t, s.PutManifest(t.Context(), ref(t, "demo/app:1"), f.Manifest), image.ErrBlobUnknown)
	require.Len(t, walk(t, s, "demo/app:1"), 1, "the tag stays where it was")
	_, err := s.Manifest(t.Context(), image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest})
	require.ErrorIs(t, err, image.ErrNotFound)
}

func testWrongConfig(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a", "b")
	wrong := f.withLayersButConfig(0)
	require.ErrorIs(t, Push(t.Context(), s, ref(t, "demo/app:1"), wrong), image.ErrInvalid)
	_, err := s.Resolve(t.Context(), ref(t, "demo/app:1"))
	require.ErrorIs(t, err, image.ErrNotFound)
}

func testBatches(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a", "b")
	push(t, s, "demo/app:1", f)
	have, err := image.Exists(t.Context(), s, []image.Ref{ref(t, "demo/app:1"), ref(t, "demo/app:2"), ref(t, "demo/none")})
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, false}, have)
	gone := digest.FromString("gone")
	missing, err := image.Missing(t.Context(), s, "demo/app", []digest.Digest{digest.FromBytes(f.Layers[0]), gone, digest.FromBytes(f.Config)})
	require.NoError(t, err)
	require.Equal(t, []digest.Digest{gone}, missing)
}
