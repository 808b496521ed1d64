package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image describes what a reference points at.
type Image struct {
	Ref      Ref
	Digest   digest.Digest // of the manifest or index the reference points at
	ID       digest.Digest // of the config: Docker's image id
	Size     int64         // bytes transferred: config and all layers
	Created  time.Time
	Platform string  // "linux/amd64"
	Layers   []Layer // bottom first
	History  []Step  // build steps, first to last; those without a layer included
}

// Step is one line of docker history.
type Step struct {
	Created   time.Time
	CreatedBy string
	Comment   string
	LayerID   string // "" when the step changed no file
	Size      int64  // bytes of the layer as transferred
}

// Source is the reading half of a Store that Describe needs.
type Source interface {
	Manifest(ctx context.Context, ref Ref) (Manifest, error)
	Open(ctx context.Context, repo string, d digest.Digest, r Range) (io.ReadCloser, error)
}

// Describe reads manifest and config of ref from src and puts them together. Stores use it for Resolve.
func Describe(ctx context.Context, src Source, ref Ref) (Image, error) {
	m, err := src.Manifest(ctx, ref)
	if err != nil {
		return Image{}, err
	}
	img := Image{Ref: ref, Digest: m.Digest}
	c, err := platformOf(ctx, src, ref, m)
	if err != nil {
		return Image{}, err
	}
	if !c.IsImage() {
		return Image{}, &Error{Op: "resolve", ID: ref.String(), Err: fmt.Errorf("%w: it is an artifact of type %q, not a container image", ErrInvalid, c.Config.MediaType)}
	}
	raw, err := ReadBlob(ctx, src, ref.Repo, c.Config.Digest)
	if err != nil {
		return Image{}, err
	}
	return img.fill(c, raw)
}

// platformOf follows an index to the manifest that runs here.
func platformOf(ctx context.Context, src Source, ref Ref, m Manifest) (Contents, error) {
	d, err := PlatformDigest(ref, m)
	if err != nil {
		return Contents{}, err
	}
	if d != m.Digest {
		if m, err = src.Manifest(ctx, Ref{Repo: ref.Repo, Digest: d}); err != nil {
			return Contents{}, err
		}
	}
	return m.Contents()
}

// PlatformDigest returns the digest of the manifest to run on this machine: linux on its architecture out of an
// index, else the manifest's own. Errors: ErrNotFound.
func PlatformDigest(ref Ref, m Manifest) (digest.Digest, error) {
	c, err := m.Contents()
	if err != nil || !c.IsIndex() {
		return m.Digest, err
	}
	for _, d := range c.Manifests {
		if d.Platform != nil && d.Platform.OS == "linux" && d.Platform.Architecture == runtime.GOARCH {
			return d.Digest, nil
		}
	}
	return "", &Error{Op: "resolve", ID: ref.String(), Err: fmt.Errorf("%w: the index has no image for linux/%s", ErrNotFound, runtime.GOARCH)}
}

func (img Image) fill(c Contents, rawConfig []byte) (Image, error) {
	cfg, err := ParseConfig(rawConfig)
	if err != nil {
		return Image{}, err
	}
	img.ID, img.Size = c.Config.Digest, c.Size()
	img.Platform = cfg.OS + "/" + cfg.Architecture
	if cfg.Created != nil {
		img.Created = *cfg.Created
	}
	if img.Layers, err = LayersOf(c, cfg); err != nil {
		return Image{}, err
	}
	img.History = steps(cfg, img.Layers)
	return img, nil
}

// ParseConfig reads an image config (image-spec, config.md). Errors: ErrInvalid.
func ParseConfig(raw []byte) (v1.Image, error) {
	var cfg v1.Image
	if err := json.Unmarshal(raw, &cfg); err != nil {
		return v1.Image{}, &Error{Op: "parse config", Err: fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	for _, d := range cfg.RootFS.DiffIDs {
		if err := d.Validate(); err != nil {
			return v1.Image{}, &Error{Op: "parse config", Err: fmt.Errorf("%w: diff id %.80q: %w", ErrInvalid, d, err)}
		}
	}
	return cfg, nil
}

// LayersOf puts the layers of a manifest and the diff ids of its config together, bottom first.
// Errors: ErrInvalid when their numbers differ.
func LayersOf(c Contents, cfg v1.Image) ([]Layer, error) {
	if len(cfg.RootFS.DiffIDs) != len(c.Layers) {
		return nil, &Error{Op: "read image", ID: c.Config.Digest.String(), Err: fmt.Errorf("%w: the manifest has %d layers, the config %d diff ids", ErrInvalid, len(c.Layers), len(cfg.RootFS.DiffIDs))}
	}
	layers := make([]Layer, len(c.Layers))
	parent := ""
	by := createdBy(cfg)
	for i, id := range ChainIDs(cfg.RootFS.DiffIDs) {
		d := c.Layers[i]
		layers[i] = Layer{ID: id, Parent: parent, DiffID: cfg.RootFS.DiffIDs[i], Digest: d.Digest, Size: d.Size, MediaType: d.MediaType}
		if i < len(by) {
			layers[i].CreatedBy = by[i]
		}
		parent = id
	}
	return layers, nil
}

func createdBy(cfg v1.Image) []string {
	var by []string
	for _, h := range cfg.History {
		if !h.EmptyLayer {
			by = append(by, h.CreatedBy)
		}
	}
	return by
}

func steps(cfg v1.Image, layers []Layer) []Step {
	var out []Step
	next := 0
	for _, h := range cfg.History {
		s := Step{CreatedBy: h.CreatedBy, Comment: h.Comment}
		if h.Created != nil {
			s.Created = *h.Created
		}
		if !h.EmptyLayer && next < len(layers) {
			s.LayerID, s.Size = layers[next].ID, layers[next].Size
			next++
		}
		out = append(out, s)
	}
	for ; next < len(layers); next++ {
		out = append(out, Step{LayerID: layers[next].ID, Size: layers[next].Size})
	}
	return out
}
