package imagetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/moset/moset/pkg/image"
)

// Fixture is a small real image: every layer is a gzipped tar with one file.
type Fixture struct {
	Manifest image.Manifest
	Config   []byte
	Layers   [][]byte // bottom first
}

// NewFixture builds an image with a layer for each text; layer n has the text as /file-n. The same texts give the
// same bytes.
func NewFixture(texts ...string) Fixture {
	created := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	cfg := v1.Image{Created: &created, Platform: v1.Platform{OS: "linux", Architecture: runtime.GOARCH}, RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}}
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Layers: []v1.Descriptor{}}
	m.SchemaVersion = 2
	var f Fixture
	for n, text := range texts {
		plain := tarOf(fmt.Sprintf("file-%d", n), text)
		blob := gzipped(plain)
		f.Layers = append(f.Layers, blob)
		cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, digest.FromBytes(plain))
		cfg.History = append(cfg.History, v1.History{Created: &created, CreatedBy: fmt.Sprintf("COPY file-%d /", n)})
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: v1.MediaTypeImageLayerGzip, Digest: digest.FromBytes(blob), Size: int64(len(blob))})
	}
	cfg.History = append(cfg.History, v1.History{Created: &created, CreatedBy: "CMD [\"true\"]", EmptyLayer: true})
	f.Config = mustJSON(cfg)
	m.Config = v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: digest.FromBytes(f.Config), Size: int64(len(f.Config))}
	f.Manifest = manifestOf(v1.MediaTypeImageManifest, m)
	return f
}

// NewIndex builds an index of images, the first of them for this machine's platform.
func NewIndex(images ...Fixture) image.Manifest {
	x := v1.Index{MediaType: v1.MediaTypeImageIndex}
	x.SchemaVersion = 2
	for n, f := range images {
		p := &v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
		if n > 0 {
			p.Architecture = fmt.Sprintf("other%d", n)
		}
		x.Manifests = append(x.Manifests, v1.Descriptor{MediaType: f.Manifest.MediaType, Digest: f.Manifest.Digest, Size: int64(len(f.Manifest.Body)), Platform: p})
	}
	return manifestOf(v1.MediaTypeImageIndex, x)
}

// NewArtifact builds an artifact of that type about subject, with text as its only layer and as an annotation.
func NewArtifact(artifactType string, subject digest.Digest, text string) Fixture {
	f := Fixture{Config: []byte("{}"), Layers: [][]byte{[]byte(text)}}
	describe := func(mediaType string, b []byte) v1.Descriptor {
		return v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(b), Size: int64(len(b))}
	}
	m := v1.Manifest{
		MediaType: v1.MediaTypeImageManifest, ArtifactType: artifactType,
		Config: describe(v1.MediaTypeEmptyJSON, f.Config), Layers: []v1.Descriptor{describe(artifactType, f.Layers[0])},
		Subject:     &v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: subject, Size: 123},
		Annotations: map[string]string{"org.example.text": text},
	}
	m.SchemaVersion = 2
	f.Manifest = manifestOf(v1.MediaTypeImageManifest, m)
	return f
}

// Push uploads what the store lacks of f and puts its manifest at ref.
func Push(ctx context.Context, s image.Store, ref image.Ref, f Fixture) error {
	for _, blob := range append([][]byte{f.Config}, f.Layers...) {
		missing, err := image.Missing(ctx, s, ref.Repo, []digest.Digest{digest.FromBytes(blob)})
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			continue
		}
		if _, err := Upload(ctx, s, ref.Repo, blob, digest.FromBytes(blob)); err != nil {
			return err
		}
	}
	return s.PutManifest(ctx, ref, f.Manifest)
}

// Upload sends blob as d.
func Upload(ctx context.Context, s image.Blobs, repo string, blob []byte, d digest.Digest) (image.Blob, error) {
	up, err := s.Create(ctx, repo)
	if err != nil {
		return image.Blob{}, err
	}
	if _, err := up.Write(blob); err != nil {
		_ = up.Abort(ctx) // the first error says more
		return image.Blob{}, err
	}
	return up.Commit(ctx, d)
}

func tarOf(name, text string) []byte {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	must(t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
	_, err := t.Write([]byte(text))
	must(err)
	must(t.Close())
	return b.Bytes()
}

func gzipped(plain []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(plain)
	must(err)
	must(z.Close())
	return b.Bytes()
}

func manifestOf(mediaType string, v any) image.Manifest {
	m, err := image.NewManifest(mediaType, mustJSON(v))
	must(err)
	return m
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	must(err)
	return b
}

// must is for writes to memory and values of our own making, which cannot fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// withLayers is an image of the layers of f with the given numbers, in that order.
func (f Fixture) withLayers(numbers ...int) Fixture {
	var cfg, out v1.Image
	must(json.Unmarshal(f.Config, &cfg))
	out.Platform, out.RootFS.Type = cfg.Platform, "layers"
	for _, n := range numbers {
		out.RootFS.DiffIDs = append(out.RootFS.DiffIDs, cfg.RootFS.DiffIDs[n])
	}
	f.Config = mustJSON(out)
	return f.withLayersButConfig(numbers...)
}

// withLayersButConfig is withLayers with a config that is not changed to fit.
func (f Fixture) withLayersButConfig(numbers ...int) Fixture {
	var m v1.Manifest
	must(json.Unmarshal(f.Manifest.Body, &m))
	old := m.Layers
	m.Layers = nil
	for _, n := range numbers {
		m.Layers = append(m.Layers, old[n])
	}
	m.Config.Digest, m.Config.Size = digest.FromBytes(f.Config), int64(len(f.Config))
	f.Manifest = manifestOf(m.MediaType, m)
	return f
}
