package image

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	hexA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hexB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func imageBody(mediaType, layerType string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":"sha256:%s","size":7},"layers":[{"mediaType":%q,"digest":"sha256:%s","size":5}]}`,
		mediaType, MediaTypeDockerConfig, hexA, layerType, hexB)
}

func TestManifestsOfBothFamiliesAreRead(t *testing.T) {
	for _, mediaType := range []string{MediaTypeDockerManifest, v1.MediaTypeImageManifest} {
		m, err := NewManifest(mediaType, []byte(imageBody(mediaType, v1.MediaTypeImageLayerGzip)))
		require.NoError(t, err)
		c, err := m.Contents()
		require.NoError(t, err)
		assert.Equal(t, mediaType, c.MediaType)
		assert.True(t, c.IsImage())
		assert.Equal(t, int64(12), c.Size())
		assert.Len(t, c.Blobs(), 2)
	}
	for _, mediaType := range []string{MediaTypeDockerIndex, v1.MediaTypeImageIndex} {
		c, err := ParseManifest(mediaType, []byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:`+hexA+`","size":1}]}`))
		require.NoError(t, err)
		assert.True(t, c.IsIndex())
		assert.Empty(t, c.Blobs())
	}
}

func TestLayersThatAreNotPushedAreNotAskedFor(t *testing.T) {
	for _, layerType := range []string{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "application/vnd.oci.image.layer.nondistributable.v1.tar"} {
		c, err := ParseManifest("", []byte(imageBody(MediaTypeDockerManifest, layerType)))
		require.NoError(t, err)
		assert.Len(t, c.Blobs(), 1)
	}
}

func TestAManifestWithoutATypeShowsItsKind(t *testing.T) {
	c, err := ParseManifest("", []byte(`{"schemaVersion":2,"manifests":[]}`))
	require.NoError(t, err)
	assert.Equal(t, v1.MediaTypeImageIndex, c.MediaType)
}

func TestBadManifestsAreInvalid(t *testing.T) {
	good := imageBody(v1.MediaTypeImageManifest, v1.MediaTypeImageLayerGzip)
	for name, body := range map[string]string{
		"no JSON":            `{`,
		"a list":             `[]`,
		"schema 1":           `{"schemaVersion":1}`,
		"no layers":          `{"schemaVersion":2,"config":{}}`,
		"both kinds":         `{"schemaVersion":2,"manifests":[],"layers":[]}`,
		"another type":       imageBody(MediaTypeDockerManifest, "x"),
		"negative size":      strings.Replace(good, `"size":5`, `"size":-5`, 1),
		"a digest too short": strings.Replace(good, hexB, "bb", 1),
		"an odd algorithm":   strings.Replace(good, "sha256:"+hexB, "sha1:"+hexB, 1),
		"a bad subject":      strings.Replace(good, `"layers"`, `"subject":{"digest":"x"},"layers"`, 1),
		"too large":          strings.Repeat(" ", MaxManifest) + good,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseManifest(v1.MediaTypeImageManifest, []byte(body))
			require.ErrorIs(t, err, ErrInvalid)
		})
	}
	for _, header := range []string{"application/vnd.example+json", "application/json; charset=utf-8", "no type", strings.Repeat("x", 200) + "/" + strings.Repeat("y", 200)} {
		_, err := ParseManifest(header, []byte(good))
		require.ErrorIs(t, err, ErrInvalid, header)
	}
}

func TestManifestsOfOtherTypesAreReadForWhatTheyNameOnly(t *testing.T) {
	const other = "application/vnd.example.bundle+json"
	body := `{"mediaType":"` + other + `","artifactType":"application/x","config":{"a":1},"layers":"none","manifests":[{"digest":"sha256:` + hexB + `","size":2}],` +
		`"blobs":[{"digest":"sha256:` + hexA + `","size":7},{"no":"digest"}],"subject":{"digest":"sha256:` + hexB + `","size":1},"annotations":{"k":"v"}}`
	m, err := NewManifest(other, []byte(body))
	require.NoError(t, err)
	c, err := m.Contents()
	require.NoError(t, err)
	assert.False(t, c.IsImage() || c.IsIndex())
	require.Len(t, c.Blobs(), 1)
	assert.Equal(t, hexA, c.Blobs()[0].Digest.Encoded())
	assert.Len(t, c.Manifests, 1)
	assert.Equal(t, hexB, c.Subject.Digest.Encoded())
	d, err := m.Descriptor()
	require.NoError(t, err)
	assert.Equal(t, v1.Descriptor{MediaType: other, Digest: m.Digest, Size: int64(len(body)), ArtifactType: "application/x", Annotations: map[string]string{"k": "v"}}, d)
	_, err = NewManifest(other, []byte(`[]`))
	require.ErrorIs(t, err, ErrInvalid)
	_, err = NewManifest(other, []byte(`{"layers":[{"digest":"sha256:1"}]}`))
	require.ErrorIs(t, err, ErrInvalid)
	_, err = NewManifest("application/vnd.docker.distribution.manifest.v1+json", []byte(`{}`))
	require.ErrorIs(t, err, ErrInvalid)
}

func TestAnImageWithoutAnArtifactTypeIsOfItsConfigsType(t *testing.T) {
	m, err := NewManifest("", []byte(imageBody(v1.MediaTypeImageManifest, "x")))
	require.NoError(t, err)
	d, err := m.Descriptor()
	require.NoError(t, err)
	assert.Equal(t, MediaTypeDockerConfig, d.ArtifactType)
	m, err = NewManifest("", []byte(`{"schemaVersion":2,"manifests":[]}`))
	require.NoError(t, err)
	d, err = m.Descriptor()
	require.NoError(t, err)
	assert.Empty(t, d.ArtifactType, "an index has no config to take it from")
}

func TestChainIdsFollowTheSpecification(t *testing.T) {
	a, b := digest.Digest("sha256:"+hexA), digest.Digest("sha256:"+hexB)
	ids := ChainIDs([]digest.Digest{a, b})
	require.Equal(t, hexA, ids[0])
	require.Equal(t, digest.FromString("sha256:"+hexA+" sha256:"+hexB).Encoded(), ids[1])
	require.Empty(t, ChainIDs(nil))
}

func TestAConfigWithoutHistoryStillHasItsLayers(t *testing.T) {
	layers := []Layer{{ID: "a", Size: 1}, {ID: "b", Size: 2}}
	got := steps(v1.Image{History: []v1.History{{CreatedBy: "one"}, {CreatedBy: "none", EmptyLayer: true}}}, layers)
	require.Equal(t, []Step{{CreatedBy: "one", LayerID: "a", Size: 1}, {CreatedBy: "none"}, {LayerID: "b", Size: 2}}, got)
	_, err := ParseConfig([]byte(`{"rootfs":{"diff_ids":["nonsense"]}}`))
	require.ErrorIs(t, err, ErrInvalid)
	_, err = ParseConfig([]byte(`"`))
	require.ErrorIs(t, err, ErrInvalid)
}

func FuzzParseManifest(f *testing.F) {
	f.Add(v1.MediaTypeImageManifest, []byte(imageBody(v1.MediaTypeImageManifest, v1.MediaTypeImageLayerGzip)))
	f.Add("", []byte(`{"schemaVersion":2,"manifests":[]}`))
	f.Add(MediaTypeDockerIndex, []byte(`{`))
	f.Add(MediaTypeDockerManifest, []byte(imageBody(MediaTypeDockerManifest, "application/vnd.docker.image.rootfs.diff.tar.gzip")))
	f.Add(v1.MediaTypeImageIndex, []byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:`+hexA+`","size":9223372036854775807,"platform":{"os":"linux"}}],"layers":[]}`))
	f.Add(v1.MediaTypeImageManifest, []byte(`{"schemaVersion":2,"config":{"digest":"sha256:../..","size":-1},"layers":null,"subject":{}}`))
	f.Add("text/html; charset=utf-8", []byte(`{"config":[[[]]],"layers":{"digest":1}}`))
	f.Add("", []byte(`{"mediaType":7,"schemaVersion":1e400}`))
	f.Add("application/vnd.example+json", []byte(`{"subject":{"digest":"sha256:`+hexA+`"},"blobs":[{"digest":"sha256:`+hexA+`"}],"config":0}`))
	f.Fuzz(func(t *testing.T, mediaType string, body []byte) {
		m, err := NewManifest(mediaType, body)
		if err != nil {
			require.True(t, errors.Is(err, ErrInvalid))
			return
		}
		c, err := m.Contents()
		require.NoError(t, err, "what was accepted is read again")
		d, err := m.Descriptor()
		require.NoError(t, err)
		require.EqualValues(t, len(body), d.Size)
		for _, b := range c.Blobs() {
			require.NoError(t, b.Digest.Validate())
			require.GreaterOrEqual(t, b.Size, int64(0))
		}
	})
}

// FuzzLayersOf puts a manifest and a config together that need not fit.
func FuzzLayersOf(f *testing.F) {
	config := `{"rootfs":{"type":"layers","diff_ids":["sha256:` + hexA + `"]},"history":[{"empty_layer":true},{},{}]}`
	f.Add([]byte(imageBody(v1.MediaTypeImageManifest, v1.MediaTypeImageLayerGzip)), []byte(config))
	f.Add([]byte(imageBody(v1.MediaTypeImageManifest, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")), []byte(`{"rootfs":{"diff_ids":[]}}`))
	f.Add([]byte(`{"schemaVersion":2,"config":{},"layers":[]}`), []byte(`{"history":null}`))
	f.Fuzz(func(t *testing.T, manifest, config []byte) {
		c, err := ParseManifest("", manifest)
		if err != nil {
			return
		}
		cfg, err := ParseConfig(config)
		if err != nil {
			return
		}
		layers, err := LayersOf(c, cfg)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		require.Len(t, layers, len(c.Layers))
		if len(layers) == 0 {
			return
		}
		n := 0
		for l, err := range Chain(layers[len(layers)-1].ID, layers) {
			require.NoError(t, err)
			require.Equal(t, layers[len(layers)-1-n].ID, l.ID)
			n++
		}
		require.Equal(t, len(layers), n, "the layers of one image form one chain")
		with := 0
		for _, s := range steps(cfg, layers) {
			if s.LayerID != "" {
				with++
			}
		}
		require.Equal(t, len(layers), with, "every layer is in the history once")
	})
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"rootfs":{"type":"layers","diff_ids":["sha256:` + hexA + `"]},"history":[{"empty_layer":true}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		cfg, err := ParseConfig(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		require.Len(t, ChainIDs(cfg.RootFS.DiffIDs), len(cfg.RootFS.DiffIDs))
	})
}
