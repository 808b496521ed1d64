package glance

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// DeleteManifest implements image.Manifests. The record is shared by the project's repositories: while another one
// has a tag on it, only this repository's tags go.
func (s *Store) DeleteManifest(ctx context.Context, ref image.Ref) error {
	if err := s.mayWrite("delete manifest", ref.Repo); err != nil {
		return err
	}
	if ref.Digest == "" {
		return &image.Error{Op: "delete manifest", ID: ref.String(), Err: fmt.Errorf("%w: a digest is needed", image.ErrInvalid)}
	}
	m, err := s.manifestRecord(ctx, ref)
	if err != nil {
		return err
	}
	var here []record
	elsewhere := false
	err = s.eachTag(ctx, "", func(r record) bool {
		switch {
		case r.props[propManifest] != ref.Digest.String() || r.owner != s.projectID:
		case r.props[propRepo] == ref.Repo:
			here = append(here, r)
		default:
			elsewhere = true
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, r := range here {
		if err := s.bury(ctx, r); err != nil {
			return err
		}
	}
	if elsewhere {
		return nil
	}
	if err := s.unlink(ctx, ref.Digest, digest.Digest(m.props[propSubject])); err != nil {
		return err
	}
	s.cache.forget(s.cacheKey(ref.Repo, ref.Digest))
	return s.remove(ctx, m.id, m.protected)
}
