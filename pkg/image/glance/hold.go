package glance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/pkg/image"
)

// blobs are the records of what a manifest names.
type blobs map[digest.Digest]record

// oldManifest is the record that has a manifest's bytes already, the zero record when there is none.
func (s *Store) oldManifest(ctx context.Context, repo string, d digest.Digest) (record, error) {
	old, err := s.find(ctx, repo, d)
	if missing, err := isMissing(err); missing || err != nil {
		return record{}, err
	}
	old, _, err = s.useful(ctx, old)
	return old, err
}

// holdBlobs finds every blob and child manifest and protects those that garbage collection has its hand on. What was
// seen within the given time is not asked for again; 0 asks for all.
func (s *Store) holdBlobs(ctx context.Context, repo string, c image.Contents, within time.Duration) (blobs, error) {
	wanted := append(c.Blobs(), c.Manifests...)
	found := make([]record, len(wanted))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, d := range wanted {
		if r, ok := s.cache.lately(s.cacheKey(repo, d.Digest), within); ok && r.held() {
			found[i] = r
			continue
		}
		g.Go(func() (err error) {
			found[i], err = s.hold(ctx, repo, d.Digest)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make(blobs, len(found))
	for i, d := range wanted {
		if found[i].size != d.Size {
			return nil, &image.Error{Op: "put manifest", ID: d.Digest.String(), Err: fmt.Errorf("%w: the blob has %d bytes, the manifest says %d", image.ErrInvalid, found[i].size, d.Size)}
		}
		out[d.Digest] = found[i]
	}
	return out, nil
}

func (s *Store) hold(ctx context.Context, repo string, d digest.Digest) (record, error) {
	r, err := s.find(ctx, repo, d)
	missing, err := isMissing(err)
	if missing {
		return record{}, &image.Error{Op: "put manifest", ID: d.String(), Err: image.ErrBlobUnknown}
	}
	if err != nil || r.held() {
		return r, err
	}
	r, err = s.rescue(ctx, r)
	if errors.Is(err, image.ErrNotFound) {
		err = &image.Error{Op: "put manifest", ID: d.String(), Err: image.ErrBlobUnknown}
	}
	return r, err
}

// intact says whether the layer records of a manifest that is there still form its chain.
func (p *put) intact(ctx context.Context) bool {
	top := p.old.props[propTop]
	if top == "" {
		return true
	}
	layers, err := p.layersOf(ctx, p.old)
	if err != nil {
		return false
	}
	n := 0
	for _, err := range image.Chain(top, layers) {
		if err != nil {
			return false
		}
		n++
	}
	return n == int(p.old.number(propDepth))
}

// layersOf needs no question when the records of the layers are those of the blobs.
func (p *put) layersOf(ctx context.Context, manifest record) ([]image.Layer, error) {
	byID := make(map[string]record, len(p.held))
	for _, r := range p.held {
		byID[r.id] = r
	}
	var layers []image.Layer
	for _, id := range manifest.layerIDs() {
		r, ok := byID[id]
		if !ok {
			return p.layerRecords(ctx, manifest)
		}
		layers = append(layers, r.layer())
	}
	return layers, nil
}

// config reads an image's config, of which the bytes are often here still.
func (s *Store) config(ctx context.Context, r record) (v1.Image, error) {
	raw := s.cache.body(r.digest().String())
	if raw == nil {
		var err error
		if raw, err = s.payload(ctx, r); err != nil {
			return v1.Image{}, err
		}
	}
	return image.ParseConfig(raw)
}

// plan says what the manifest's record tells of its image, but for the records of its layers, and where those are.
func (p *put) plan(ctx context.Context) (map[string]string, []place, error) {
	c := p.contents
	props := map[string]string{propKind: kindManifest, propMediaType: p.manifest.MediaType, propDigest: p.manifest.Digest.String(),
		propSize: strconv.FormatInt(c.Size(), 10), propDepth: strconv.Itoa(len(c.Layers))}
	if c.Subject != nil {
		props[propSubject] = c.Subject.Digest.String()
	}
	if list, fits := needs(c); fits {
		props[propNeeds] = list
	}
	if !c.IsImage() {
		return props, nil, nil
	}
	cfg, err := p.config(ctx, p.held[c.Config.Digest])
	if err != nil {
		return nil, nil, err
	}
	layers, err := image.LayersOf(c, cfg)
	if err != nil {
		return nil, nil, err
	}
	props[propConfig] = c.Config.Digest.String()
	if cfg.Created != nil {
		props[propCreated] = cfg.Created.UTC().Format(time.RFC3339)
	}
	if len(layers) > 0 {
		props[propTop] = layers[len(layers)-1].ID
	}
	return props, places(layers, p.held), nil
}
