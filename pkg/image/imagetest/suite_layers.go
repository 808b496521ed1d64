package imagetest

import (
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

func testResolve(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a", "b", "c")
	push(t, s, "demo/app:1", f)
	img, err := s.Resolve(t.Context(), ref(t, "demo/app:1"))
	require.NoError(t, err)
	require.Equal(t, f.Manifest.Digest, img.Digest)
	require.Equal(t, digest.FromBytes(f.Config), img.ID)
	require.Len(t, img.Layers, 3)
	require.Len(t, img.History, 4)
	require.Equal(t, "", img.Layers[0].Parent)
	require.Equal(t, img.Layers[0].DiffID.Encoded(), img.Layers[0].ID)
	require.Equal(t, img.Layers[1].ID, img.Layers[2].Parent)
	require.Equal(t, img.Layers[1].ID, img.History[1].LayerID)
	require.Empty(t, img.History[3].LayerID)
	size := int64(len(f.Config))
	for _, l := range f.Layers {
		size += int64(len(l))
	}
	require.Equal(t, size, img.Size)

	byDigest, err := s.Resolve(t.Context(), image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest})
	require.NoError(t, err)
	require.Equal(t, img.Layers, byDigest.Layers)
	got, err := s.Manifest(t.Context(), ref(t, "demo/app:1"))
	require.NoError(t, err)
	require.Equal(t, f.Manifest, got)
}

func testWalk(t *testing.T, p Projects) {
	s := p.Store("demo")
	push(t, s, "demo/app:1", NewFixture("a", "b", "c", "d"))
	img, err := s.Resolve(t.Context(), ref(t, "demo/app:1"))
	require.NoError(t, err)
	got := walk(t, s, "demo/app:1")
	for i := range got {
		require.NotEmpty(t, got[i].Record)
		got[i].Record = ""
	}
	slices.Reverse(got)
	require.Equal(t, img.Layers, got)
}

func testAlias(t *testing.T, p Projects) {
	s := p.Store("demo")
	one, two := NewFixture("base", "shared"), NewFixture("other base", "shared")
	require.Equal(t, one.Layers[1], two.Layers[1])
	push(t, s, "demo/one:1", one)
	push(t, s, "demo/two:1", two)
	a, b := walk(t, s, "demo/one:1"), walk(t, s, "demo/two:1")
	require.Len(t, a, 2)
	require.Len(t, b, 2)
	require.Equal(t, a[0].Digest, b[0].Digest)
	require.Equal(t, a[0].Size, b[0].Size)
	require.NotEqual(t, a[0].ID, b[0].ID)
	require.NotEqual(t, a[0].Record, b[0].Record)
	require.Equal(t, b[1].ID, b[0].Parent)
}

func testTwice(t *testing.T, p Projects) {
	s := p.Store("demo")
	f := NewFixture("a", "b")
	twice := f.withLayers(0, 1, 1, 0)
	push(t, s, "demo/app:1", twice)
	require.Len(t, walk(t, s, "demo/app:1"), 4)
}

func testIndex(t *testing.T, p Projects) {
	s := p.Store("demo")
	here, there := NewFixture("here", "too"), NewFixture("there")
	for _, f := range []Fixture{here, there} {
		push(t, s, "demo/multi@"+f.Manifest.Digest.String(), f)
	}
	x := NewIndex(here, there)
	require.NoError(t, s.PutManifest(t.Context(), ref(t, "demo/multi:1"), x))
	img, err := s.Resolve(t.Context(), ref(t, "demo/multi:1"))
	require.NoError(t, err)
	require.Equal(t, x.Digest, img.Digest)
	require.Equal(t, digest.FromBytes(here.Config), img.ID)
	require.Len(t, walk(t, s, "demo/multi:1"), 2)
	err = s.PutManifest(t.Context(), ref(t, "demo/multi:2"), NewIndex(here, NewFixture("never pushed")))
	require.ErrorIs(t, err, image.ErrBlobUnknown)
}

func testRepeat(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a", "b")
	push(t, s, "demo/app:1", f)
	before := walk(t, s, "demo/app:1")
	push(t, s, "demo/app:1", f)
	require.Equal(t, before, walk(t, s, "demo/app:1"))
}

func testTree(t *testing.T, p Projects) {
	s := p.Store("demo")
	push(t, s, "demo/base:1", NewFixture("base"))
	push(t, s, "demo/one:1", NewFixture("base", "one"))
	push(t, s, "demo/two:1", NewFixture("base", "two"))
	roots, err := image.Tree(t.Context(), s, image.Query{})
	require.NoError(t, err)
	require.Len(t, roots, 1)
	require.Equal(t, []string{"demo/base:1"}, roots[0].Tags)
	require.Len(t, roots[0].Children, 2)
	require.Equal(t, []string{"demo/one:1"}, roots[0].Children[0].Tags)
	require.Equal(t, []string{"demo/two:1"}, roots[0].Children[1].Tags)
}

func walk(t *testing.T, s image.Store, name string) []image.Layer {
	t.Helper()
	var out []image.Layer
	for l, err := range image.Walk(t.Context(), s, ref(t, name)) {
		require.NoError(t, err)
		out = append(out, l)
	}
	return out
}
