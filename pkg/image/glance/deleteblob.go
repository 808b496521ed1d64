package glance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// maxValue bounds what is written into one property, in bytes: Glance fails on 65,536.
const maxValue = 65_000

// DeleteBlob implements image.Blobs. The records go out of sight before manifests are looked at: a push that puts a
// manifest meanwhile misses them, or its manifest is seen here.
func (s *Store) DeleteBlob(ctx context.Context, repo string, d digest.Digest) error {
	if err := s.mayWrite("delete blob", repo); err != nil {
		return err
	}
	if _, err := s.find(ctx, repo, d); err != nil {
		return err
	}
	if user, err := s.userOf(ctx, repo, d); err != nil || user != "" {
		return cmp.Or(err, refused(d, "manifest %s needs it, delete that first", user))
	}
	found, err := s.findAll(ctx, repo, d) // uploads at once may have left two
	if err != nil {
		return err
	}
	defer s.cache.forget(s.cacheKey(repo, d))
	for _, r := range found {
		if r.kind() == kindManifest {
			return refused(d, "it is a manifest, delete it as such")
		}
		if err := s.condemn(ctx, r); errors.Is(err, errRescued) {
			return refused(d, "it is being pushed again")
		} else if err != nil {
			return err
		}
	}
	return s.deleteUnused(ctx, repo, d, found)
}

// deleteUnused deletes condemned records, or restores them when something needs them.
func (s *Store) deleteUnused(ctx context.Context, repo string, d digest.Digest, found []record) error {
	user, err := s.userOf(ctx, repo, d)
	if err == nil && user != "" {
		err = refused(d, "manifest %s needs it, delete that first", user)
	}
	for _, r := range found {
		if err != nil {
			err = errors.Join(err, s.restore(context.WithoutCancel(ctx), r.id, r.kind()))
			continue
		}
		if err = s.destroy(ctx, r.id); errors.Is(err, errRescued) {
			err = refused(d, "it is being pushed again")
		}
	}
	return err
}

func refused(d digest.Digest, format string, args ...any) error {
	return &image.Error{Op: "delete blob", ID: d.String(), Err: fmt.Errorf("%w: "+format, append([]any{image.ErrDenied}, args...)...)}
}

// userOf is the digest of a manifest of the project that names d, "" when there is none.
func (s *Store) userOf(ctx context.Context, repo string, d digest.Digest) (string, error) {
	user := ""
	var failed error
	q := query{"owner": s.projectID, "container_format": "docker", "os_hidden": "true", "status": "active", propKind: kindManifest, "limit": pageSize}
	err := s.list(ctx, q, func(r record) bool {
		var names bool
		if names, failed = s.names(ctx, repo, r, d); names {
			user = r.digest().String()
		}
		return user == "" && failed == nil
	})
	if err == nil {
		err = failed
	}
	return user, err
}

// names says whether a manifest needs d: by its record, or by its bytes when its list was too long for that.
func (s *Store) names(ctx context.Context, repo string, manifest record, d digest.Digest) (bool, error) {
	if needs, ok := manifest.props[propNeeds]; ok {
		return strings.Contains(needs, d.String()), nil
	}
	m, err := s.Manifest(ctx, image.Ref{Repo: repo, Digest: manifest.digest()})
	if missing, err := isMissing(err); missing || err != nil {
		return false, err
	}
	c, err := m.Contents()
	return err == nil && c.Names(d), err
}

// needs is what a manifest's record says of the digests that c names; false when they are too many.
func needs(c image.Contents) (string, bool) {
	var all []string
	for _, d := range append(c.Blobs(), c.Manifests...) {
		all = append(all, d.Digest.String())
	}
	list := strings.Join(all, ",")
	return list, len(list) <= maxValue
}
