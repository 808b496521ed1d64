package glance

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/pkg/image"
)

// subjectKey is the payload of the links to a subject, so that Glance finds them by their hash.
func subjectKey(subject digest.Digest) string { return "subject:" + subject.String() }

// link makes the record that says that a manifest is about another one, unless there is one.
func (s *Store) link(ctx context.Context, manifest, subject digest.Digest) error {
	links, err := s.links(ctx, subject, s.isOwn)
	if err != nil {
		return err
	}
	for _, r := range links {
		if r.props[propManifest] != manifest.String() {
			continue
		}
		if _, ok, err := s.useful(ctx, r); ok || err != nil {
			return err
		}
	}
	_, err = s.createWhole(ctx, newRecordOpts{
		id: randomID(), name: "link:" + manifest.String(), hidden: true, protected: true,
		props: map[string]string{propKind: kindLink, propSubject: subject.String(), propManifest: manifest.String()},
	}, []byte(subjectKey(subject)))
	return err
}

// unlink removes the links from a manifest that is about to go.
func (s *Store) unlink(ctx context.Context, manifest, subject digest.Digest) error {
	if subject == "" {
		return nil
	}
	links, err := s.links(ctx, subject, s.isOwn)
	if err != nil {
		return err
	}
	for _, r := range links {
		if r.props[propManifest] != manifest.String() {
			continue
		}
		if err := s.remove(ctx, r.id, r.protected); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) isOwn(r record) bool { return r.owner == s.projectID }

// links are the links to a subject that want accepts.
func (s *Store) links(ctx context.Context, subject digest.Digest, want func(record) bool) ([]record, error) {
	var found []record
	err := s.findByPayload(ctx, subjectKey(subject), true, func(r record) bool {
		if r.kind() == kindLink && r.props[propSubject] == subject.String() && want(r) {
			found = append(found, r)
		}
		return true
	})
	return found, err
}

// Referrers implements image.Referrers. The links only name the manifests, which are read to be described: a link to
// a manifest that is gone, or that the caller does not see, shows nothing.
func (s *Store) Referrers(ctx context.Context, repo string, d digest.Digest) iter.Seq2[v1.Descriptor, error] {
	return func(yield func(v1.Descriptor, error) bool) {
		found, err := s.referrers(ctx, repo, d)
		for _, desc := range found {
			if !yield(desc, nil) {
				return
			}
		}
		if err != nil {
			yield(v1.Descriptor{}, err)
		}
	}
}

func (s *Store) referrers(ctx context.Context, repo string, d digest.Digest) ([]v1.Descriptor, error) {
	links, err := s.links(ctx, d, func(r record) bool { return s.belongs(r, repo) })
	if err != nil {
		return nil, err
	}
	var manifests []digest.Digest
	for _, r := range links {
		if m := digest.Digest(r.props[propManifest]); !slices.Contains(manifests, m) {
			manifests = append(manifests, m) // pushes at once may have made two links
		}
	}
	found := make([]v1.Descriptor, len(manifests))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, m := range manifests {
		g.Go(func() (err error) {
			found[i], err = s.describe(ctx, repo, m, d)
			return err
		})
	}
	err = g.Wait()
	return slices.DeleteFunc(found, func(desc v1.Descriptor) bool { return desc.Digest == "" }), err
}

// describe is the zero descriptor for a manifest that is not there or not about subject.
func (s *Store) describe(ctx context.Context, repo string, manifest, subject digest.Digest) (v1.Descriptor, error) {
	m, err := s.Manifest(ctx, image.Ref{Repo: repo, Digest: manifest})
	if errors.Is(err, image.ErrNotFound) || errors.Is(err, image.ErrInvalid) {
		return v1.Descriptor{}, nil // of another project, anything may be written into a link
	}
	if err != nil {
		return v1.Descriptor{}, err
	}
	c, err := m.Contents()
	if err != nil || c.Subject == nil || c.Subject.Digest != subject {
		return v1.Descriptor{}, nil
	}
	return m.Descriptor()
}
