package glance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// pageSize is what we ask Glance for at once; it renders a record in 1-3 ms and caps at 1000.
const pageSize = "200"

// find returns the record of a committed blob or manifest as seen from repo.
func (s *Store) find(ctx context.Context, repo string, d digest.Digest) (record, error) {
	if err := d.Validate(); err != nil {
		return record{}, &image.Error{Op: "find", ID: fmt.Sprintf("%.80q", string(d)), Err: fmt.Errorf("%w: %w", image.ErrInvalid, err)}
	}
	key := s.cacheKey(repo, d)
	if id := s.cache.id(key); id != "" {
		r, err := s.get(ctx, id)
		if err == nil && r.digest() == d && r.isBlob() && s.belongs(r, repo) {
			s.cache.saw(key, r)
			return r, nil
		}
		if err != nil && !errors.Is(err, image.ErrNotFound) {
			return record{}, err
		}
		s.cache.forget(key)
	}
	found, err := s.findAll(ctx, repo, d)
	if err != nil {
		return record{}, err
	}
	if len(found) == 0 {
		return record{}, &image.Error{Op: "find", ID: d.String(), Err: image.ErrNotFound}
	}
	s.cache.saw(key, found[0])
	return found[0], nil
}

// cacheKey keeps projects apart: the same digest may be different records for each of them.
func (s *Store) cacheKey(repo string, d digest.Digest) string {
	return s.projectID + " " + image.ProjectOf(repo) + " " + d.String()
}

// belongs says whether a record may serve a repository. In the caller's own repositories only the project's own
// records count, so that nobody's public record stands in for a blob that was never uploaded; and the caller's own
// records never pass for another project's.
func (s *Store) belongs(r record, repo string) bool {
	return (r.owner == s.projectID) == s.owns(repo)
}

// findAll returns all records with the payload d that may serve repo, the one to use first.
func (s *Store) findAll(ctx context.Context, repo string, d digest.Digest) ([]record, error) {
	algo, err := s.hashAlgo(ctx)
	if err != nil || algo == "" {
		return nil, err
	}
	q := query{"os_hidden": "true", "status": "active", "limit": pageSize}
	if s.owns(repo) {
		q["owner"] = s.projectID
	}
	if algo == d.Algorithm().String() {
		q["os_hash_value"] = d.Encoded()
	} else {
		q[propDigest] = d.String()
	}
	var found []record
	err = s.list(ctx, q, func(r record) bool {
		if r.isBlob() && r.digest() == d && s.belongs(r, repo) {
			found = append(found, r)
		}
		return true
	})
	slices.SortFunc(found, older)
	return found, err
}

// findByPayload yields the records whose payload is text, which we choose as a key that Glance indexes by its hash.
func (s *Store) findByPayload(ctx context.Context, text string, hidden bool, f func(record) bool) error {
	algo, err := s.hashAlgo(ctx)
	if err != nil || algo == "" {
		return err
	}
	hash := digest.Algorithm(algo)
	if !hash.Available() {
		return &image.Error{Op: "find", Err: fmt.Errorf("%w: Glance hashes with %q, set hashing_algorithm to sha256 or sha512", image.ErrUnavailable, algo)}
	}
	return s.list(ctx, query{
		"os_hidden": fmt.Sprint(hidden), "status": "active", "limit": pageSize,
		"os_hash_value": hash.FromString(text).Encoded(),
	}, f)
}

// hashAlgo tells what Glance hashes with from the newest of our hidden records. "" means that the caller sees none,
// and so nothing can be found.
func (s *Store) hashAlgo(ctx context.Context) (string, error) {
	if algo := s.cache.hashAlgo(); algo != "" {
		return algo, nil
	}
	err := s.list(ctx, query{
		"os_hidden": "true", "status": "active", "container_format": "docker", "sort": "created_at:desc", "limit": "1",
	}, func(r record) bool {
		s.cache.learn(r)
		return false
	})
	return s.cache.hashAlgo(), err
}
