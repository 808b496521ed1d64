package imagetest

import (
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

// Collected is a cloud with a garbage collector.
type Collected interface {
	Projects
	// Collect runs the collector of a project once as if it were so much later, with a grace of an hour.
	Collect(t *testing.T, project string, later time.Duration, untagged bool) Collection
}

// Collection is what one run of a collector did, in records.
type Collection struct{ Marked, Rescued, Deleted int }

// TestCollector runs the contract of a garbage collector: what is needed stays, what is not goes in two steps, and
// a push between them gets it back. Every part gets a new, empty cloud with the projects "demo" and "alt".
func TestCollector(t *testing.T, newCloud func(t *testing.T) Collected) {
	for name, part := range map[string]func(*testing.T, Collected){
		"what an image needs stays":                     testCollectNothing,
		"what nothing needs is marked, then deleted":    testCollectBlobs,
		"what is young is left alone":                   testCollectYoung,
		"a look at a marked blob rescues it":            testRescueByStat,
		"an upload of a marked blob rescues it":         testRescueByUpload,
		"a manifest rescues what it names":              testRescueByManifest,
		"a manifest without a tag goes only when asked": testCollectUntagged,
		"a tag rescues a marked manifest":               testRescueByTag,
	} {
		t.Run(name, func(t *testing.T) { part(t, newCloud(t)) })
	}
}

// much is so much later that everything is old.
func much(runs int) time.Duration { return time.Duration(runs) * 48 * time.Hour }

func testCollectNothing(t *testing.T, c Collected) {
	s := c.Store("demo")
	base, child := NewFixture("a", "a"), NewFixture("a", "a", "b")
	push(t, s, "demo/app:1", base)
	push(t, s, "demo/app:2", child)
	push(t, s, "demo/other:1", child.withLayers(2, 0)) // the same blobs in another chain: aliases
	push(t, s, "demo/app@"+NewFixture("one").Manifest.Digest.String(), NewFixture("one"))
	index := NewIndex(NewFixture("one"))
	require.NoError(t, s.PutManifest(t.Context(), ref(t, "demo/app:index"), index))
	signature := NewArtifact("application/x.signature", base.Manifest.Digest, "signed")
	push(t, s, "demo/app@"+signature.Manifest.Digest.String(), signature)
	for run := range 3 {
		for _, untagged := range []bool{false, true} {
			require.Equal(t, Collection{}, c.Collect(t, "demo", much(run+1), untagged))
		}
	}
	require.Equal(t, Collection{}, c.Collect(t, "alt", much(1), true))
	require.Len(t, walk(t, s, "demo/app:2"), 3)
	require.Len(t, walk(t, s, "demo/other:1"), 2)
	require.Len(t, walk(t, s, "demo/app:index"), 1)
	require.Len(t, referrers(t, s, "demo/app", base.Manifest.Digest), 1)
	push(t, s, "demo/app:3", child)
}

func testCollectBlobs(t *testing.T, c Collected) {
	s, f := c.Store("demo"), NewFixture("a", "b", "c")
	push(t, s, "demo/app:1", NewFixture("a"))
	push(t, s, "demo/app:2", f)
	require.NoError(t, s.DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest}))
	require.Equal(t, Collection{Marked: 3}, c.Collect(t, "demo", much(1), false), "two layers and the config")
	require.NotEmpty(t, read(t, s, "demo/app", digest.FromBytes(f.Layers[2]), image.Range{}))
	require.Equal(t, Collection{Deleted: 3}, c.Collect(t, "demo", much(2), false))
	for _, gone := range [][]byte{f.Layers[1], f.Layers[2], f.Config} {
		_, err := s.Stat(t.Context(), "demo/app", digest.FromBytes(gone))
		require.ErrorIs(t, err, image.ErrNotFound)
	}
	require.Len(t, walk(t, s, "demo/app:1"), 1)
	require.Equal(t, Collection{}, c.Collect(t, "demo", much(3), false))
	push(t, s, "demo/app:2", f)
	require.Len(t, walk(t, s, "demo/app:2"), 3)
}

func testCollectYoung(t *testing.T, c Collected) {
	s, d := c.Store("demo"), digest.FromString("lone")
	_, err := Upload(t.Context(), s, "demo/app", []byte("lone"), d)
	require.NoError(t, err)
	up, err := s.Create(t.Context(), "demo/app")
	require.NoError(t, err)
	require.Equal(t, Collection{}, c.Collect(t, "demo", 30*time.Minute, true))
	require.Equal(t, Collection{Marked: 1}, c.Collect(t, "demo", 2*time.Hour, true), "not the upload, which may take half a day")
	require.Equal(t, Collection{}, c.Collect(t, "demo", 30*time.Minute, true), "marked a moment ago")
	require.NoError(t, up.Abort(t.Context()))
}

// marked is a store with a blob that the next run deletes.
func marked(t *testing.T, c Collected) (image.Store, Fixture) {
	t.Helper()
	s, f := c.Store("demo"), NewFixture("a")
	for _, blob := range [][]byte{f.Config, f.Layers[0]} {
		_, err := Upload(t.Context(), s, "demo/app", blob, digest.FromBytes(blob))
		require.NoError(t, err)
	}
	require.Equal(t, Collection{Marked: 2}, c.Collect(t, "demo", much(1), true))
	return s, f
}

func testRescueByStat(t *testing.T, c Collected) {
	s, f := marked(t, c)
	_, err := s.Stat(t.Context(), "demo/app", digest.FromBytes(f.Layers[0]))
	require.NoError(t, err)
	require.Equal(t, Collection{Marked: 1, Deleted: 1}, c.Collect(t, "demo", much(2), true), "the rescued one begins anew")
	_, err = s.Stat(t.Context(), "demo/app", digest.FromBytes(f.Layers[0]))
	require.NoError(t, err)
}

func testRescueByUpload(t *testing.T, c Collected) {
	s, f := marked(t, c)
	_, err := Upload(t.Context(), s, "demo/app", f.Layers[0], digest.FromBytes(f.Layers[0]))
	require.NoError(t, err)
	require.Equal(t, Collection{Marked: 1, Deleted: 1}, c.Collect(t, "demo", much(2), true))
}

func testRescueByManifest(t *testing.T, c Collected) {
	s, f := marked(t, c)
	require.NoError(t, s.PutManifest(t.Context(), ref(t, "demo/app:1"), f.Manifest))
	require.Equal(t, Collection{}, c.Collect(t, "demo", much(2), true))
	require.Len(t, walk(t, s, "demo/app:1"), 1)
}

func testCollectUntagged(t *testing.T, c Collected) {
	s, f := c.Store("demo"), NewFixture("a")
	push(t, s, "demo/app:1", f)
	push(t, s, "demo/app:1", NewFixture("b")) // the tag moves on
	signature := NewArtifact("application/x.signature", f.Manifest.Digest, "signed")
	push(t, s, "demo/app@"+signature.Manifest.Digest.String(), signature)
	require.Equal(t, Collection{}, c.Collect(t, "demo", much(1), false))
	require.Equal(t, Collection{Marked: 7}, c.Collect(t, "demo", much(1), true), "two manifests, their blobs and the link")
	require.Equal(t, Collection{Rescued: 7}, c.Collect(t, "demo", much(2), false), "the manifests count again")
	require.Equal(t, Collection{Marked: 7}, c.Collect(t, "demo", much(1), true))
	require.Equal(t, Collection{Deleted: 7}, c.Collect(t, "demo", much(2), true))
	_, err := s.Manifest(t.Context(), image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest})
	require.ErrorIs(t, err, image.ErrNotFound)
	require.Empty(t, referrers(t, s, "demo/app", f.Manifest.Digest))
	require.Len(t, walk(t, s, "demo/app:1"), 1)
}

func testRescueByTag(t *testing.T, c Collected) {
	s, f := c.Store("demo"), NewFixture("a")
	push(t, s, "demo/app@"+f.Manifest.Digest.String(), f)
	require.Equal(t, Collection{Marked: 3}, c.Collect(t, "demo", much(1), true))
	require.NoError(t, s.SetTag(t.Context(), ref(t, "demo/app:kept"), f.Manifest.Digest))
	require.Equal(t, Collection{Rescued: 2}, c.Collect(t, "demo", much(2), true), "the blobs; the tag rescued the manifest")
	require.Len(t, walk(t, s, "demo/app:kept"), 1)
}
