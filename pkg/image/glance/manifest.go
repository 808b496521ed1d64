package glance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/pkg/image"
)

// parallel bounds how many requests to Glance one call makes at once.
const parallel = 8

// Resolve implements image.Manifests.
func (s *Store) Resolve(ctx context.Context, ref image.Ref) (image.Image, error) {
	return image.Describe(ctx, s, ref)
}

// Manifest implements image.Manifests.
func (s *Store) Manifest(ctx context.Context, ref image.Ref) (image.Manifest, error) {
	r, err := s.manifestRecord(ctx, ref)
	if err != nil {
		return image.Manifest{}, err
	}
	d := r.digest()
	m := image.Manifest{MediaType: r.props[propMediaType], Digest: d, Body: s.cache.body(d.String())}
	if m.Body != nil {
		return m, nil
	}
	if m.Body, err = s.payload(ctx, r); err != nil {
		return image.Manifest{}, err
	}
	s.cache.setBody(d.String(), m.Body)
	return m, nil
}

// manifestRecord finds the record a reference points at.
func (s *Store) manifestRecord(ctx context.Context, ref image.Ref) (record, error) {
	d := ref.Digest
	if d == "" {
		tag, err := s.liveTag(ctx, ref)
		if err != nil {
			return record{}, err
		}
		d = digest.Digest(tag.props[propManifest])
	}
	r, err := s.find(ctx, ref.Repo, d)
	if err == nil && r.kind() != kindManifest {
		err = &image.Error{Op: "find manifest", ID: ref.String(), Err: fmt.Errorf("%w: the digest is that of a %s", image.ErrNotFound, r.kind())}
	}
	return r, err
}

// payload reads a small record whole and checks it against its digest.
func (s *Store) payload(ctx context.Context, r record) ([]byte, error) {
	b, err := image.ReadBlob(ctx, recordOpener{s, r.id}, "", r.digest())
	if errors.Is(err, image.ErrDigestMismatch) { // whoever asked did nothing wrong
		err = &image.Error{Op: "read record", ID: r.id, Err: fmt.Errorf("%w: Glance sent other bytes than those of %s", image.ErrUnavailable, r.digest())}
	}
	return b, err
}

type recordOpener struct {
	s  *Store
	id string
}

func (o recordOpener) Open(ctx context.Context, _ string, _ digest.Digest, r image.Range) (io.ReadCloser, error) {
	return o.s.open(ctx, o.id, r)
}

// PutManifest implements image.Manifests. Layers get their places first, then the manifest is written, then all
// blobs are looked at again: one that was collected meanwhile fails the call and not a later pull. The tag comes last.
func (s *Store) PutManifest(ctx context.Context, ref image.Ref, m image.Manifest) error {
	err := s.putManifest(ctx, ref, m)
	if errors.Is(err, image.ErrNotFound) && !errors.Is(err, image.ErrBlobUnknown) { // nothing was asked for
		err = &image.Error{Op: "put manifest", ID: ref.String(), Err: fmt.Errorf("%w: a record was deleted meanwhile, push again: %w", image.ErrUnavailable, err)}
	}
	return err
}

func (s *Store) putManifest(ctx context.Context, ref image.Ref, m image.Manifest) error {
	if err := s.mayWrite("put manifest", ref.Repo); err != nil {
		return err
	}
	c, err := m.Contents()
	if err != nil {
		return err
	}
	if m.Digest.Validate() != nil || m.Digest.Algorithm().FromBytes(m.Body) != m.Digest {
		return &image.Error{Op: "put manifest", ID: ref.String(), Err: image.ErrDigestMismatch}
	}
	rec, err := s.storeManifest(ctx, ref.Repo, m, c)
	if err != nil {
		return err
	}
	if c.Subject != nil {
		if err := s.link(ctx, m.Digest, c.Subject.Digest); err != nil {
			return err
		}
	}
	if ref.Tag == "" {
		return nil
	}
	return s.setTag(ctx, ref, rec)
}

// storeManifest returns the manifest's record, written only where it is not so already.
func (s *Store) storeManifest(ctx context.Context, repo string, m image.Manifest, c image.Contents) (record, error) {
	blobs, err := s.holdBlobs(ctx, repo, c)
	if err != nil {
		return record{}, err
	}
	old, err := s.oldManifest(ctx, repo, m.Digest)
	if err != nil {
		return record{}, err
	}
	if old.kind() == kindManifest && old.props[propMediaType] == m.MediaType && s.intact(ctx, old) {
		return old, nil
	}
	props, err := s.place(ctx, repo, c, blobs)
	if errors.Is(err, image.ErrNotFound) { // a blob was deleted since it was found
		err = &image.Error{Op: "put manifest", ID: m.Digest.String(), Err: fmt.Errorf("%w: %w", image.ErrBlobUnknown, err)}
	}
	if err != nil {
		return record{}, err
	}
	props[propKind], props[propMediaType], props[propDigest] = kindManifest, m.MediaType, m.Digest.String()
	rec, err := s.writeManifest(ctx, old, m, props)
	if err != nil {
		return record{}, err
	}
	s.cache.setID(s.cacheKey(repo, m.Digest), rec.id)
	_, err = s.holdBlobs(ctx, repo, c)
	return rec, err
}

// oldManifest is the record that has a manifest's bytes already, the zero record when there is none.
func (s *Store) oldManifest(ctx context.Context, repo string, d digest.Digest) (record, error) {
	old, err := s.find(ctx, repo, d)
	if missing, err := isMissing(err); missing || err != nil {
		return record{}, err
	}
	old, _, err = s.useful(ctx, old)
	return old, err
}

// writeManifest makes the record, or repairs the one that is there (the same bytes may have come as a blob).
func (s *Store) writeManifest(ctx context.Context, old record, m image.Manifest, props map[string]string) (record, error) {
	if old.id == "" {
		return s.createWhole(ctx, newRecordOpts{id: randomID(), name: m.Digest.String(), hidden: true, protected: true, props: props}, m.Body)
	}
	var p patch
	for k, v := range props {
		p = p.set(k, v)
	}
	r, err := s.update(ctx, old.id, change{patch: p})
	return r, wrap("update manifest", m.Digest.String(), err)
}

// intact says whether the layer records of a manifest still form its chain.
func (s *Store) intact(ctx context.Context, manifest record) bool {
	top := manifest.props[propTop]
	if top == "" {
		return true
	}
	layers, err := s.layerRecords(ctx, manifest)
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
	return n == int(manifest.number(propDepth))
}

// holdBlobs finds every blob and child manifest and protects those that garbage collection has its hand on.
func (s *Store) holdBlobs(ctx context.Context, repo string, c image.Contents) (map[digest.Digest]record, error) {
	wanted := append(c.Blobs(), c.Manifests...)
	found := make([]record, len(wanted))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, d := range wanted {
		g.Go(func() (err error) {
			found[i], err = s.hold(ctx, repo, d.Digest)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make(map[digest.Digest]record, len(found))
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

// place gives the layers of an image their ids and parents and returns what the manifest's record says about them.
func (s *Store) place(ctx context.Context, repo string, c image.Contents, blobs map[digest.Digest]record) (map[string]string, error) {
	props := map[string]string{propSize: strconv.FormatInt(c.Size(), 10), propDepth: strconv.Itoa(len(c.Layers))}
	if c.Subject != nil {
		props[propSubject] = c.Subject.Digest.String()
	}
	if list, fits := needs(c); fits {
		props[propNeeds] = list
	}
	if !c.IsImage() {
		return props, nil
	}
	raw, err := s.payload(ctx, blobs[c.Config.Digest])
	if err != nil {
		return nil, err
	}
	cfg, err := image.ParseConfig(raw)
	if err != nil {
		return nil, err
	}
	layers, err := image.LayersOf(c, cfg)
	if err != nil {
		return nil, err
	}
	ids, err := s.placeAll(ctx, layers, blobs)
	if err != nil {
		return nil, err
	}
	props[propConfig], props[propLayers] = c.Config.Digest.String(), strings.Join(ids, ",")
	if cfg.Created != nil {
		props[propCreated] = cfg.Created.UTC().Format(time.RFC3339)
	}
	if len(layers) > 0 {
		props[propTop] = layers[len(layers)-1].ID
	}
	return props, s.claimConfig(ctx, blobs[c.Config.Digest])
}
