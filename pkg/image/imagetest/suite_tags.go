package imagetest

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

func testTags(t *testing.T, p Projects) {
	s, one, two := p.Store("demo"), NewFixture("1"), NewFixture("1", "2")
	at := ref(t, "demo/app:live")
	push(t, s, "demo/app:live", one)
	push(t, s, "demo/app:live", two)
	for _, f := range []Fixture{two, one} {
		require.NoError(t, s.SetTag(t.Context(), at, f.Manifest.Digest))
		m, err := s.Manifest(t.Context(), at)
		require.NoError(t, err)
		require.Equal(t, f.Manifest.Digest, m.Digest)
	}
	require.NoError(t, s.DeleteTag(t.Context(), at))
	_, err := s.Manifest(t.Context(), at)
	require.ErrorIs(t, err, image.ErrNotFound)
	require.ErrorIs(t, s.DeleteTag(t.Context(), at), image.ErrNotFound)
	list, err := image.List(t.Context(), s, image.Query{})
	require.NoError(t, err)
	require.Empty(t, list)
	push(t, s, "demo/app:live", two)
	require.Len(t, walk(t, s, "demo/app:live"), 2)
	require.ErrorIs(t, s.SetTag(t.Context(), at, digest.FromString("nothing")), image.ErrNotFound)
}

func testList(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a", "b")
	for _, name := range []string{"demo/web:2", "demo/web:1", "demo/db:1"} {
		push(t, s, name, f)
	}
	all, err := image.List(t.Context(), s, image.Query{})
	require.NoError(t, err)
	require.Equal(t, []string{"demo/db:1", "demo/web:1", "demo/web:2"}, names(all))
	require.Equal(t, digest.FromBytes(f.Config), all[0].ID)
	require.Equal(t, f.Manifest.Digest, all[0].Digest)
	require.Equal(t, 2, all[0].Layers)
	require.Equal(t, 2020, all[0].Created.Year())
	img, err := s.Resolve(t.Context(), all[0].Ref())
	require.NoError(t, err)
	require.Equal(t, img.Size, all[0].Size)
	web, err := image.List(t.Context(), s, image.Query{Repo: "demo/web"})
	require.NoError(t, err)
	require.Equal(t, []string{"demo/web:1", "demo/web:2"}, names(web))
	repos, err := image.Repos(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, []string{"demo/db", "demo/web"}, repos)
}

func names(list []image.Summary) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Ref().String()
	}
	return out
}

func testDeleteManifest(t *testing.T, p Projects) {
	s, f := p.Store("demo"), NewFixture("a")
	for _, name := range []string{"demo/one:1", "demo/one:2", "demo/two:1"} {
		push(t, s, name, f)
	}
	one := image.Ref{Repo: "demo/one", Digest: f.Manifest.Digest}
	require.NoError(t, s.DeleteManifest(t.Context(), one))
	list, err := image.List(t.Context(), s, image.Query{})
	require.NoError(t, err)
	require.Equal(t, []string{"demo/two:1"}, names(list))
	require.Len(t, walk(t, s, "demo/two:1"), 1)
	two := image.Ref{Repo: "demo/two", Digest: f.Manifest.Digest}
	require.NoError(t, s.DeleteManifest(t.Context(), two))
	require.ErrorIs(t, s.DeleteManifest(t.Context(), two), image.ErrNotFound)
	require.ErrorIs(t, s.DeleteManifest(t.Context(), ref(t, "demo/two:1")), image.ErrInvalid)
	push(t, s, "demo/two:1", f)
	require.Len(t, walk(t, s, "demo/two:1"), 1)
}

func testOtherProject(t *testing.T, p Projects) {
	demo, alt, f := p.Store("demo"), p.Store("alt"), NewFixture("a")
	push(t, demo, "demo/app:1", f)
	at, layer := ref(t, "demo/app:1"), digest.FromBytes(f.Layers[0])
	_, err := alt.Resolve(t.Context(), at)
	require.ErrorIs(t, err, image.ErrNotFound)
	for _, repo := range []string{"demo/app", "alt/app"} {
		_, err = alt.Stat(t.Context(), repo, layer)
		require.ErrorIs(t, err, image.ErrNotFound)
	}
	list, err := image.List(t.Context(), alt, image.Query{})
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = alt.Create(t.Context(), "demo/app")
	require.ErrorIs(t, err, image.ErrDenied)
	require.ErrorIs(t, alt.PutManifest(t.Context(), at, f.Manifest), image.ErrDenied)
	require.ErrorIs(t, alt.SetTag(t.Context(), at, f.Manifest.Digest), image.ErrDenied)
	require.ErrorIs(t, alt.DeleteTag(t.Context(), at), image.ErrDenied)
	require.ErrorIs(t, alt.DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest}), image.ErrDenied)
	push(t, alt, "alt/app:1", f)
	_, err = alt.Stat(t.Context(), "demo/app", layer)
	require.ErrorIs(t, err, image.ErrNotFound, "one's own blob does not stand in for another project's")
}

func testOddNames(t *testing.T, p Projects) {
	s := p.Store("demo")
	for _, r := range []image.Ref{{Repo: "demo/app", Tag: strings.Repeat("x", 128)}, {Repo: "demo/" + strings.Repeat("y", 200), Tag: "1"}, {Repo: "alt/a:b", Tag: "in:x,y"}} {
		_, err := s.Resolve(t.Context(), r)
		require.ErrorIs(t, err, image.ErrNotFound)
	}
}
