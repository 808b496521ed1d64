package glance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
)

// Collect implements imagetest.Collected.
func (b *box) Collect(t *testing.T, project string, later time.Duration, untagged bool) imagetest.Collection {
	r := b.collect(t, project, glance.CollectorConfig{Untagged: untagged, Now: func() time.Time { return time.Now().Add(later) }})
	return imagetest.Collection{Marked: r.Marked, Rescued: r.Rescued, Deleted: r.Deleted}
}

func (b *box) collect(t *testing.T, project string, cfg glance.CollectorConfig) glance.Report {
	t.Helper()
	if cfg.Grace == 0 {
		cfg.Grace = time.Hour
	}
	c, err := glance.NewCollector(b.config("token-"+project, project), cfg)
	require.NoError(t, err)
	r, err := c.Run(t.Context())
	require.NoError(t, err)
	require.Zero(t, r.Failures)
	return r
}

func TestTheCollectorKeepsItsContract(t *testing.T) {
	for _, hash := range []string{"sha256", "sha512"} {
		t.Run(hash, func(t *testing.T) {
			imagetest.TestCollector(t, func(t *testing.T) imagetest.Collected { return newBox(t, hash) })
		})
	}
}

func later(runs int) func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(runs) * 48 * time.Hour) }
}

func TestADryRunSaysWhatItWouldDoAndDoesNothing(t *testing.T) {
	b := newBox(t, "sha256")
	f := imagetest.NewFixture("a")
	require.NoError(t, imagetest.Push(t.Context(), b.Store("demo"), at(t, "app:1"), f))
	require.NoError(t, b.Store("demo").DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: f.Manifest.Digest}))
	var found []glance.Garbage
	dry := glance.CollectorConfig{DryRun: true, Now: later(1), Found: func(g glance.Garbage) { found = append(found, g) }}
	before := b.glance.Writes()
	require.Equal(t, 2, b.collect(t, "demo", dry).Marked)
	require.Equal(t, before, b.glance.Writes())
	require.Len(t, found, 2)
	require.Equal(t, "mark", found[0].Step)

	b.collect(t, "demo", glance.CollectorConfig{Now: later(1)})
	found, dry.Now, before = nil, later(2), b.glance.Writes()
	r := b.collect(t, "demo", dry)
	require.Equal(t, int64(len(f.Config)+len(f.Layers[0])), r.Bytes)
	require.Equal(t, 2, r.Deleted)
	require.Equal(t, before, b.glance.Writes())
	require.Equal(t, "delete", found[1].Step)
	require.ElementsMatch(t, []string{"config", "layer"}, []string{found[0].Kind, found[1].Kind})
	require.Equal(t, "id-demo", found[0].Project)
}

func TestAnAdministratorCollectsForAllProjectsAndThoseStayApart(t *testing.T) {
	b := newBox(t, "sha256")
	f := imagetest.NewFixture("a")
	for _, project := range []string{"demo", "alt"} {
		ref := image.Ref{Repo: project + "/app", Tag: "1"}
		require.NoError(t, imagetest.Push(t.Context(), b.Store(project), ref, f))
	}
	require.NoError(t, b.Store("alt").DeleteManifest(t.Context(), image.Ref{Repo: "alt/app", Digest: f.Manifest.Digest}))
	require.Equal(t, 2, b.collect(t, "admin", glance.CollectorConfig{AllProjects: true, Now: later(1)}).Marked)
	require.Equal(t, 2, b.collect(t, "admin", glance.CollectorConfig{AllProjects: true, Now: later(2)}).Deleted)
	_, err := b.Store("demo").Resolve(t.Context(), at(t, "app:1"))
	require.NoError(t, err)
}

func TestBrokenUploadsAreCollected(t *testing.T) {
	b := newBox(t, "sha256")
	for _, body := range []string{
		`{"name": "uploading", "os_hidden": true, "container_format": "docker", "disk_format": "raw", "docker_kind": "upload"}`,
		`{"name": "sha256:1", "os_hidden": true, "protected": true, "container_format": "docker", "disk_format": "raw", "docker_kind": "manifest"}`,
	} {
		status, _ := b.raw("POST", "/v2/images", "token-demo", body)
		require.Equal(t, 201, status)
	}
	status, _ := b.raw("POST", "/v2/images", "token-demo", `{"name": "of somebody else", "container_format": "docker", "disk_format": "raw"}`)
	require.Equal(t, 201, status)
	require.Zero(t, b.collect(t, "demo", glance.CollectorConfig{Grace: 5 * time.Hour, Now: later(1)}).Deleted, "an upload may take long")
	require.Equal(t, 2, b.collect(t, "demo", glance.CollectorConfig{Now: later(1)}).Deleted)
	require.Empty(t, b.images("os_hidden=true"))
	require.Len(t, b.images(""), 1)
}

func TestACollectorThatBrokeOffIsTidiedUpByTheNext(t *testing.T) {
	b := newBox(t, "sha256")
	s, f := b.Store("demo"), imagetest.NewFixture("a", "b")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
	lone := imagetest.NewFixture("lone")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:2"), lone))
	require.NoError(t, s.DeleteManifest(t.Context(), image.Ref{Repo: "demo/app", Digest: lone.Manifest.Digest}))
	for _, i := range b.images("os_hidden=true") {
		if i["docker_kind"] != "manifest" && i["docker_kind"] != "tag" { // all are condemned, needed or not
			status, _ := b.raw("PATCH", "/v2/images/"+i["id"].(string), "token-demo",
				`[{"op":"replace","path":"/protected","value":false},{"op":"add","path":"/docker_was","value":"`+i["docker_kind"].(string)+`"},{"op":"replace","path":"/docker_kind","value":"garbage"}]`)
			require.Equal(t, 200, status)
		}
	}
	_, err := s.Open(t.Context(), "demo/app", f.Manifest.Digest, image.Range{})
	require.NoError(t, err)
	r := b.collect(t, "demo", glance.CollectorConfig{Now: later(1)})
	require.Equal(t, 3, r.Rescued)
	require.Equal(t, 2, r.Deleted)
	img, err := s.Resolve(t.Context(), at(t, "app:1"))
	require.NoError(t, err)
	require.Len(t, img.Layers, 2)
}

func TestOneOfTwoRecordsOfTheSameBytesIsCollected(t *testing.T) {
	b := newBox(t, "sha256")
	f := imagetest.NewFixture("a")
	require.NoError(t, imagetest.Push(t.Context(), b.Store("demo"), at(t, "app:1"), f))
	layer := b.images("os_hidden=true&docker_kind=layer")[0]
	status, twin := b.raw("POST", "/v2/images", "token-demo", `{"id": "ffffffff-ffff-4fff-8fff-ffffffffffff", "name": "twin", "os_hidden": true, "container_format": "docker", "disk_format": "raw",
		"docker_kind": "blob", "docker_unclaimed": "yes", "docker_digest": "`+layer["docker_digest"].(string)+`"}`)
	require.Equal(t, 201, status)
	b.put(twin["id"].(string), f.Layers[0])
	require.Equal(t, 1, b.collect(t, "demo", glance.CollectorConfig{Now: later(1)}).Marked)
	require.Equal(t, 1, b.collect(t, "demo", glance.CollectorConfig{Now: later(2)}).Deleted)
	require.Equal(t, layer["id"], b.images("os_hidden=true&docker_kind=layer")[0]["id"])
}

func TestACollectorWithAGraceBelowZeroIsRefused(t *testing.T) {
	_, err := glance.NewCollector(newBox(t, "sha256").config("token-demo", "demo"), glance.CollectorConfig{Grace: -1})
	require.ErrorIs(t, err, image.ErrInvalid)
}
