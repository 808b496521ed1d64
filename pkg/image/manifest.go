package image

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Media types of Docker's own manifests (distribution, manifest v2 schema 2).
const (
	MediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	MediaTypeDockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	MediaTypeDockerConfig   = "application/vnd.docker.container.image.v1+json"
)

// MaxManifest is the largest manifest or config this package reads, in bytes.
const MaxManifest = 4 << 20

// maxMediaType is what RFC 6838 allows a media type in characters: two names of 127 and a slash.
const maxMediaType = 255

// Manifest is an image manifest, an index or another manifest, byte for byte as pushed.
type Manifest struct {
	MediaType string
	Digest    digest.Digest
	Body      []byte
}

// Contents is what a manifest points to. An index has Manifests, an image has Config and Layers (bottom first), a
// manifest of another media type may have any of them.
type Contents struct {
	MediaType    string
	ArtifactType string // as the manifest says; "" when it says nothing
	Config       v1.Descriptor
	Layers       []v1.Descriptor
	Manifests    []v1.Descriptor
	Subject      *v1.Descriptor // the manifest this one is about; it need not exist
	Annotations  map[string]string
}

// NewManifest checks body (ParseManifest) and gives it its sha256 digest. An empty mediaType is taken from the body.
func NewManifest(mediaType string, body []byte) (Manifest, error) {
	c, err := ParseManifest(mediaType, body)
	if err != nil {
		return Manifest{}, err
	}
	return Manifest{MediaType: c.MediaType, Digest: digest.FromBytes(body), Body: body}, nil
}

// Contents parses the manifest.
func (m Manifest) Contents() (Contents, error) { return ParseManifest(m.MediaType, m.Body) }

// Size is the bytes an image transfers: its config and layers.
func (c Contents) Size() int64 {
	size := c.Config.Size
	for _, l := range c.Layers {
		size += l.Size
	}
	return size
}

// Descriptor describes m to those that ask what refers to a manifest (OCI distribution, "Listing Referrers"): its
// artifact type is its own or, of an image, that of its config.
func (m Manifest) Descriptor() (v1.Descriptor, error) {
	c, err := m.Contents()
	if err != nil {
		return v1.Descriptor{}, err
	}
	d := v1.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Body)), ArtifactType: c.ArtifactType, Annotations: c.Annotations}
	if d.ArtifactType == "" && isImageType(c.MediaType) {
		d.ArtifactType = c.Config.MediaType
	}
	return d, nil
}

// IsIndex says whether the manifest lists other manifests.
func (c Contents) IsIndex() bool { return isIndexType(c.MediaType) }

// IsImage says whether the config is that of a container image, so that its layers form a chain.
func (c Contents) IsImage() bool {
	return isImageType(c.MediaType) && (c.Config.MediaType == v1.MediaTypeImageConfig || c.Config.MediaType == MediaTypeDockerConfig)
}

// Names says whether the manifest needs d: as a blob or as a manifest of its list, but not as its subject.
func (c Contents) Names(d digest.Digest) bool {
	is := func(have v1.Descriptor) bool { return have.Digest == d }
	return is(c.Config) || slices.ContainsFunc(c.Layers, is) || slices.ContainsFunc(c.Manifests, is)
}

// Blobs are the descriptors that must be in the project before the manifest is accepted.
func (c Contents) Blobs() []v1.Descriptor {
	var blobs []v1.Descriptor
	if c.Config.Digest != "" {
		blobs = append(blobs, c.Config)
	}
	for _, l := range c.Layers {
		if !foreign(l.MediaType) {
			blobs = append(blobs, l)
		}
	}
	return blobs
}

func isImageType(mediaType string) bool {
	return mediaType == v1.MediaTypeImageManifest || mediaType == MediaTypeDockerManifest
}

func isIndexType(mediaType string) bool {
	return mediaType == v1.MediaTypeImageIndex || mediaType == MediaTypeDockerIndex
}

func invalidManifest(format string, args ...any) error {
	return &Error{Op: "parse manifest", Err: fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)}
}
