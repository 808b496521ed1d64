package glance

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

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
