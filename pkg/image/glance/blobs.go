package glance

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// Stat implements image.Blobs. Whoever pushes asks so whether to send a blob, so one that the garbage collector has
// marked is rescued.
func (s *Store) Stat(ctx context.Context, repo string, d digest.Digest) (image.Blob, error) {
	r, err := s.find(ctx, repo, d)
	if err != nil {
		return image.Blob{}, err
	}
	r, ok, err := s.useful(ctx, r)
	if err == nil && !ok {
		err = &image.Error{Op: "find", ID: d.String(), Err: image.ErrNotFound}
	}
	if err != nil {
		return image.Blob{}, err
	}
	return r.blob(), nil
}

// Known tells of a blob that was seen before, without asking Glance: whether it is still there and to be seen shows
// when it is opened.
func (s *Store) Known(repo string, d digest.Digest) (image.Blob, bool) {
	r, ok := s.cache.lately(s.cacheKey(repo, d), time.Hour)
	return r.blob(), ok
}

// Open implements image.Blobs. A blob found lately costs one request to Glance.
func (s *Store) Open(ctx context.Context, repo string, d digest.Digest, r image.Range) (io.ReadCloser, error) {
	key := s.cacheKey(repo, d)
	if id := s.cache.id(key); id != "" {
		body, err := s.open(ctx, id, r)
		if !errors.Is(err, image.ErrNotFound) {
			return body, err
		}
		s.cache.forget(key)
	}
	rec, err := s.find(ctx, repo, d)
	if err != nil {
		return nil, err
	}
	return s.open(ctx, rec.id, r)
}
