package clients

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
)

// Tags of the layout that the tests push from.
const (
	single = "single" // an image of one layer
	multi  = "multi"  // one of four, whose lowest is single's
	arches = "arches" // an index of both
	squash = "squash" // one of two layers that nobody has pushed, to be compressed otherwise
)

// layout writes an OCI layout with the images and the index, and returns its folder and the index.
func (s *site) layout() (dir string, index image.Manifest, images map[string]imagetest.Fixture) {
	s.t.Helper()
	dir = filepath.Join(s.dir, "layout")
	require.NoError(s.t, os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755))
	images = map[string]imagetest.Fixture{single: imagetest.NewFixture("one"), multi: imagetest.NewFixture("one", "two", "three", "four"), squash: imagetest.NewFixture("five", "six")}
	index = imagetest.NewIndex(images[single], images[multi])
	all := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	add := func(tag string, m image.Manifest) {
		s.blob(dir, m.Body)
		all.Manifests = append(all.Manifests, v1.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Body)), Annotations: map[string]string{v1.AnnotationRefName: tag}})
	}
	for tag, f := range images {
		s.blob(dir, f.Config)
		for _, l := range f.Layers {
			s.blob(dir, l)
		}
		add(tag, f.Manifest)
	}
	add(arches, index)
	s.file(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`))
	b, err := json.Marshal(all)
	require.NoError(s.t, err)
	s.file(filepath.Join(dir, "index.json"), b)
	return dir, index, images
}

func (s *site) blob(layout string, b []byte) {
	s.t.Helper()
	s.file(filepath.Join(layout, "blobs", "sha256", digest.FromBytes(b).Encoded()), b)
}

func (s *site) file(path string, b []byte) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(path, b, 0o644))
}

// read returns what a client wrote.
func (s *site) read(path ...string) []byte {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	require.NoError(s.t, err)
	return b
}

// manifest reads an image's manifest as a client printed it.
func (s *site) manifest(raw string) v1.Manifest {
	s.t.Helper()
	var m v1.Manifest
	require.NoError(s.t, json.Unmarshal([]byte(raw), &m), raw)
	return m
}

func hexOf(b []byte) string { return digest.FromBytes(b).Encoded() }
