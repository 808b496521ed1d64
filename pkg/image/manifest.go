package image

import (
	"encoding/json"
	"fmt"

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

// Manifest is an image manifest or an index, byte for byte as pushed.
type Manifest struct {
	MediaType string
	Digest    digest.Digest
	Body      []byte
}

// Contents is what a manifest points to. An index has Manifests, an image has Config and Layers (bottom first).
type Contents struct {
	MediaType string
	Config    v1.Descriptor
	Layers    []v1.Descriptor
	Manifests []v1.Descriptor
	Subject   *v1.Descriptor
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

// IsIndex says whether the manifest lists other manifests.
func (c Contents) IsIndex() bool {
	return c.MediaType == v1.MediaTypeImageIndex || c.MediaType == MediaTypeDockerIndex
}

// IsImage says whether the config is that of a container image, so that its layers form a chain.
func (c Contents) IsImage() bool {
	return c.Config.MediaType == v1.MediaTypeImageConfig || c.Config.MediaType == MediaTypeDockerConfig
}

// Blobs are the descriptors that must be in the project before the manifest is accepted.
func (c Contents) Blobs() []v1.Descriptor {
	if c.IsIndex() {
		return nil
	}
	blobs := []v1.Descriptor{c.Config}
	for _, l := range c.Layers {
		if !foreign(l.MediaType) {
			blobs = append(blobs, l)
		}
	}
	return blobs
}

// wire has every field of both kinds, so that a body which claims to be both is seen (CVE-2021-41190).
type wire struct {
	SchemaVersion int              `json:"schemaVersion"`
	MediaType     string           `json:"mediaType"`
	Config        *v1.Descriptor   `json:"config"`
	Layers        *[]v1.Descriptor `json:"layers"`
	Manifests     *[]v1.Descriptor `json:"manifests"`
	Subject       *v1.Descriptor   `json:"subject"`
}

// ParseManifest reads Docker schema 2 and OCI 1.x manifests and indexes of at most MaxManifest bytes. Errors: ErrInvalid.
func ParseManifest(mediaType string, body []byte) (Contents, error) {
	if len(body) > MaxManifest {
		return Contents{}, invalidManifest("it is larger than %d bytes", MaxManifest)
	}
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		return Contents{}, invalidManifest("it is no JSON object: %v", err)
	}
	if w.SchemaVersion != 2 {
		return Contents{}, invalidManifest("schemaVersion is %d, only 2 is accepted", w.SchemaVersion)
	}
	kind, err := w.kind(mediaType)
	if err != nil {
		return Contents{}, err
	}
	c := w.contents(kind)
	return c, c.check()
}

// kind settles the media type: the header's, the body's, or what the fields show; they may not contradict.
func (w wire) kind(header string) (string, error) {
	index := w.Manifests != nil
	if index && (w.Layers != nil || w.Config != nil) {
		return "", invalidManifest("it has both manifests and layers")
	}
	kind := header
	if kind == "" {
		kind = w.MediaType
	}
	if kind == "" {
		kind = v1.MediaTypeImageManifest
		if index {
			kind = v1.MediaTypeImageIndex
		}
	}
	if w.MediaType != "" && w.MediaType != kind {
		return "", invalidManifest("its media type is %q but was sent as %q", w.MediaType, kind)
	}
	switch kind {
	case v1.MediaTypeImageIndex, MediaTypeDockerIndex:
		if !index {
			return "", invalidManifest("an index needs the field manifests")
		}
	case v1.MediaTypeImageManifest, MediaTypeDockerManifest:
		if w.Config == nil || w.Layers == nil {
			return "", invalidManifest("an image needs the fields config and layers")
		}
	default:
		return "", invalidManifest("media type %q is not accepted", kind)
	}
	return kind, nil
}

func (w wire) contents(kind string) Contents {
	c := Contents{MediaType: kind, Subject: w.Subject}
	if w.Config != nil {
		c.Config = *w.Config
	}
	if w.Layers != nil {
		c.Layers = *w.Layers
	}
	if w.Manifests != nil {
		c.Manifests = *w.Manifests
	}
	return c
}

func (c Contents) check() error {
	all := append([]v1.Descriptor{}, c.Layers...)
	all = append(all, c.Manifests...)
	if !c.IsIndex() {
		all = append(all, c.Config)
	}
	if c.Subject != nil {
		all = append(all, *c.Subject)
	}
	for _, d := range all {
		if err := d.Digest.Validate(); err != nil {
			return invalidManifest("digest %.80q: %v", d.Digest, err)
		}
		if d.Size < 0 {
			return invalidManifest("size of %s is negative", d.Digest)
		}
	}
	return nil
}

func invalidManifest(format string, args ...any) error {
	return &Error{Op: "parse manifest", Err: fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)}
}
