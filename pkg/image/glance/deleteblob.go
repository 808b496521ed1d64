package glance

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// maxValue bounds what is written into one property, in bytes: Glance fails on 65,536.
const maxValue = 65_000

// DeleteBlob implements image.Blobs. The records lose their protection before manifests are looked at: a push that
// puts a manifest meanwhile gives it back, and then Glance refuses the DELETE.
func (s *Store) DeleteBlob(ctx context.Context, repo string, d digest.Digest) error {
	if err := s.mayWrite("delete blob", repo); err != nil {
		return err
	}
	if _, err := s.find(ctx, repo, d); err != nil {
		return err
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
		if err := s.protect(ctx, r.id, false); err != nil {
			return err
		}
	}
	return s.deleteUnused(ctx, repo, d, found)
}

// deleteUnused deletes unprotected records, or protects them again when something needs them.
func (s *Store) deleteUnused(ctx context.Context, repo string, d digest.Digest, found []record) error {
	user, err := s.userOf(ctx, repo, d)
	if err == nil && user != "" {
		err = refused(d, "manifest %s needs it, delete that first", user)
	}
	for _, r := range found {
		if err != nil {
			_ = s.protect(context.WithoutCancel(ctx), r.id, true) // the next push that needs it protects it too
			continue
		}
		if err := images.Delete(ctx, s.client, r.id).ExtractErr(); gophercloud.ResponseCodeIs(err, http.StatusForbidden) {
			return refused(d, "it is being pushed again")
		} else if err != nil {
			return wrap("delete blob", d.String(), err)
		}
	}
	return err
}

func refused(d digest.Digest, format string, args ...any) error {
	return &image.Error{Op: "delete blob", ID: d.String(), Err: fmt.Errorf("%w: "+format, append([]any{image.ErrDenied}, args...)...)}
}

func (s *Store) protect(ctx context.Context, id string, yes bool) error {
	_, err := s.update(ctx, id, change{protected: &yes})
	return wrap("change protection", id, err)
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
