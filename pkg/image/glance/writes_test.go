package glance_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
)

func TestABlobCostsThreeWritesAtMost(t *testing.T) {
	b := newBox(t, "sha512")
	s, f := b.Store("demo"), imagetest.NewFixture("a")
	writes := func(do func() error) int {
		before := b.glance.Writes()
		require.NoError(t, do())
		return int(b.glance.Writes() - before)
	}
	upload := func(blob []byte) func() error {
		return func() error {
			_, err := imagetest.Upload(t.Context(), s, "demo/app", blob, digest.FromBytes(blob))
			return err
		}
	}
	require.Equal(t, 3, writes(upload(bytes.Repeat([]byte("large"), 1<<18))), "a record, its payload, its name")
	require.Equal(t, 2, writes(upload(f.Layers[0])), "a record that has its name, its payload")
	require.Equal(t, 2, writes(upload(f.Config)))
	require.Zero(t, writes(upload(f.Config)), "it is there")
	require.Len(t, b.images("os_hidden=true&docker_kind=config"), 1, "it is known as such before any manifest")
	require.Equal(t, 5, writes(func() error { return s.PutManifest(t.Context(), at(t, "app:1"), f.Manifest) }),
		"the layer's place, manifest and tag with their payloads")
	require.Len(t, b.images("os_hidden=true&docker_kind=config&docker_digest="+digest.FromBytes(f.Config).String()), 1)
}

func TestAnUploadInSmallPiecesArrivesWhole(t *testing.T) {
	b := newBox(t, "sha256")
	s, blob := b.Store("demo"), bytes.Repeat([]byte("0123456789"), 100_000)
	up, err := s.Create(t.Context(), "demo/app")
	require.NoError(t, err)
	for piece := blob; len(piece) > 0; {
		n := min(1001, len(piece))
		written, err := up.Write(piece[:n])
		require.NoError(t, err)
		require.Equal(t, n, written)
		piece = piece[n:]
	}
	d := digest.FromBytes(blob)
	got, err := up.Commit(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, int64(len(blob)), got.Size)
	body, err := s.Open(t.Context(), "demo/app", d, image.Range{})
	require.NoError(t, err)
	defer body.Close()
	read, err := io.ReadAll(body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(blob, read))
}

func TestABlobThatIsKnownIsStillOpenedWithTheCallersRight(t *testing.T) {
	b := newBox(t, "sha256")
	s, blob := b.as("token-demo", "demo"), []byte("blob")
	_, known := s.Known("demo/app", digest.FromBytes(blob))
	require.False(t, known)
	_, err := imagetest.Upload(t.Context(), s, "demo/app", blob, digest.FromBytes(blob))
	require.NoError(t, err)
	have, known := s.Known("demo/app", digest.FromBytes(blob))
	require.True(t, known)
	require.Equal(t, int64(4), have.Size)
	_, known = b.as("token-alt", "alt").Known("demo/app", digest.FromBytes(blob))
	require.False(t, known, "what one project has seen is nothing to another")
	_, err = b.as("stranger", "demo").Open(t.Context(), "demo/app", digest.FromBytes(blob), image.Range{})
	require.ErrorIs(t, err, image.ErrUnauthorized)
	require.NoError(t, s.DeleteBlob(t.Context(), "demo/app", digest.FromBytes(blob)))
	_, known = s.Known("demo/app", digest.FromBytes(blob))
	require.False(t, known)
}

// TestALayerLostWhileItsManifestIsWrittenLeavesNoTag deletes the layer behind the push's back, right after the payload
// of the manifest.
func TestALayerLostWhileItsManifestIsWrittenLeavesNoTag(t *testing.T) {
	b := newBox(t, "sha256")
	f := imagetest.NewFixture("a")
	var once sync.Once
	armed := false
	spy := roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if armed && r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/file") {
			once.Do(func() { b.deleteLayers() })
		}
		return resp, err
	})
	cfg := b.config("token-demo", "demo")
	cfg.Transport = spy
	s, err := glance.New(cfg)
	require.NoError(t, err)
	for _, blob := range [][]byte{f.Layers[0], f.Config} {
		_, err := imagetest.Upload(t.Context(), s, "demo/app", blob, digest.FromBytes(blob))
		require.NoError(t, err)
	}
	armed = true
	require.ErrorIs(t, s.PutManifest(t.Context(), at(t, "app:1"), f.Manifest), image.ErrBlobUnknown)
	require.Empty(t, b.images(""), "no tag, not even an unfinished one")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
	require.NoError(t, walkErr(s, at(t, "app:1")))
}

func (b *box) deleteLayers() {
	for _, i := range b.images("os_hidden=true&docker_kind=layer") {
		path := "/v2/images/" + i["id"].(string)
		b.raw("PATCH", path, "token-demo", `[{"op":"replace","path":"/protected","value":false}]`)
		status, _ := b.raw("DELETE", path, "token-demo", "")
		require.Equal(b.t, http.StatusNoContent, status)
	}
}

func TestUploadsOfTheSameBytesAtOnceEndAsOneRecord(t *testing.T) {
	for _, size := range []int{100, 200 << 10} { // kept here to the end, and streamed
		b := newBox(t, "sha256")
		blob := bytes.Repeat([]byte("x"), size)
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				_, errs[i] = imagetest.Upload(t.Context(), b.Store("demo"), "demo/app", blob, digest.FromBytes(blob))
			})
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Len(t, b.images("os_hidden=true"), 1)
	}
}
