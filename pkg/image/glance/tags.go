package glance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// SetTag implements image.Tags.
func (s *Store) SetTag(ctx context.Context, ref image.Ref, d digest.Digest) error {
	if err := s.mayWrite("set tag", ref.Repo); err != nil {
		return err
	}
	m, err := s.manifestRecord(ctx, image.Ref{Repo: ref.Repo, Digest: d})
	if err != nil {
		return err
	}
	m, ok, err := s.useful(ctx, m)
	if err == nil && !ok {
		err = &image.Error{Op: "set tag", ID: ref.String(), Err: fmt.Errorf("%w: the manifest %s was deleted just now", image.ErrNotFound, d)}
	}
	if err != nil {
		return err
	}
	return s.setTag(ctx, ref, m, s.lookAhead(ctx, ref))
}

// look is what is there of a tag's first record.
type look func() (record, error)

// lookAhead asks for a tag's first record while something else is done.
func (s *Store) lookAhead(ctx context.Context, ref image.Ref) look {
	if ref.Tag == "" {
		return nil
	}
	type answer struct {
		r   record
		err error
	}
	var a answer
	got := make(chan struct{})
	go func() {
		defer close(got)
		a.r, a.err = s.get(ctx, tagID(s.projectID, ref, 0))
	}()
	return func() (record, error) {
		<-got
		return a.r, a.err
	}
}

// setTag makes, moves or revives the tag's record; a tag that already points there is not written.
func (s *Store) setTag(ctx context.Context, ref image.Ref, m record, first look) error {
	want := tagProps(ref, m.props)
	for gen := range tagGenerations {
		id := tagID(s.projectID, ref, gen)
		if gen > 0 {
			first = func() (record, error) { return s.get(ctx, id) }
		}
		done, err := s.setTagRecord(ctx, ref, id, want, first)
		if done || err != nil {
			return err
		}
	}
	return &image.Error{Op: "set tag", ID: ref.String(), Err: fmt.Errorf("%w: its records were deleted too often, run glance-manage db purge_images_table or use another tag", image.ErrInvalid)}
}

// tagProps are those of a tag on a manifest with such properties.
func tagProps(ref image.Ref, manifest map[string]string) map[string]string {
	want := map[string]string{propKind: kindTag, propRepo: ref.Repo, propTag: ref.Tag, propManifest: manifest[propDigest]}
	for _, p := range []string{propMediaType, propConfig, propSize, propCreated, propDepth, propTop} {
		want[p] = manifest[p]
	}
	return want
}

// makeAhead makes the record of a tag that is not there yet; nobody sees it as a tag before it has its payload. The zero
// record when there is one, or none could be made.
func (s *Store) makeAhead(ctx context.Context, ref image.Ref, manifest map[string]string, first look) record {
	_, err := first()
	if missing, _ := isMissing(err); !missing {
		return record{}
	}
	made, err := s.create(ctx, newRecordOpts{id: tagID(s.projectID, ref, 0), name: tagName(ref), props: tagProps(ref, manifest)})
	if err != nil {
		return record{} // setTag finds out why
	}
	return made
}

// setTagRecord is false without an error when the id was deleted once, so that Glance will not take it again.
func (s *Store) setTagRecord(ctx context.Context, ref image.Ref, id string, want map[string]string, first look) (bool, error) {
	old, err := first()
	missing, err := isMissing(err)
	if err != nil {
		return false, err
	}
	if missing {
		_, err = s.create(ctx, newRecordOpts{id: id, name: tagName(ref), props: want})
		if err == nil {
			return true, s.fillTag(ctx, ref, id)
		}
		if !conflict(err) {
			return false, wrap("set tag", ref.String(), err)
		}
		// Taken and yet not seen a moment ago: deleted once, or made by another push just now.
		old, err = s.get(ctx, id)
		if missing, err = isMissing(err); missing || err != nil {
			return false, err
		}
	}
	return true, s.moveTag(ctx, ref, old, want)
}

// fillTag writes the payload. A conflict means that another push has done so, which is as good.
func (s *Store) fillTag(ctx context.Context, ref image.Ref, id string) error {
	err := imagedata.Upload(ctx, s.client, id, strings.NewReader(repoKey(ref.Repo))).ExtractErr()
	if conflict(err) || gophercloud.ResponseCodeIs(err, http.StatusGone) {
		return nil
	}
	return wrap("set tag", ref.String(), err)
}

func (s *Store) moveTag(ctx context.Context, ref image.Ref, old record, want map[string]string) error {
	if !old.active() { // the push that made it broke off
		if err := s.fillTag(ctx, ref, old.id); err != nil {
			return err
		}
	}
	for try := 0; ; try++ {
		c := tagChange(old, want)
		if len(c.patch) == 0 && c.hidden == nil {
			return nil
		}
		_, err := s.update(ctx, old.id, c)
		if !conflict(err) || try > 0 {
			return wrap("set tag", ref.String(), err)
		}
		// Another push has revived the tag in the same moment: the last one to write wins.
		if old, err = s.get(ctx, old.id); err != nil {
			return err
		}
	}
}

// tagChange is what a tag's record lacks to say what is wanted, and to be seen.
func tagChange(old record, want map[string]string) (c change) {
	for k, v := range want {
		if old.props[k] != v {
			c.patch = c.patch.set(k, v)
		}
	}
	if _, deleted := old.props[propDeleted]; deleted {
		c.patch = c.patch.remove(propDeleted)
	}
	if old.hidden {
		c.hidden = new(bool)
	}
	return c
}

// liveTag finds the record of a tag that is not deleted.
func (s *Store) liveTag(ctx context.Context, ref image.Ref) (record, error) {
	r, err := s.tagRecord(ctx, ref)
	if err == nil && !s.isLive(r, ref) {
		err = &image.Error{Op: "find tag", ID: ref.String(), Err: image.ErrNotFound}
	}
	return r, err
}

func (s *Store) isLive(r record, ref image.Ref) bool {
	_, deleted := r.props[propDeleted]
	return !deleted && r.active() && r.kind() == kindTag && r.props[propRepo] == ref.Repo && r.props[propTag] == ref.Tag && s.belongs(r, ref.Repo)
}

// tagRecord needs one GET in the caller's own project, unless the record was deleted by hand.
func (s *Store) tagRecord(ctx context.Context, ref image.Ref) (record, error) {
	if !s.owns(ref.Repo) {
		return s.foreignTag(ctx, ref)
	}
	r, err := s.get(ctx, tagID(s.projectID, ref, 0))
	if missing, _ := isMissing(err); !missing {
		return r, err
	}
	ids := make([]string, tagGenerations)
	for gen := range ids {
		ids[gen] = tagID(s.projectID, ref, gen)
	}
	return s.first(ctx, ref, query{"id": "in:" + strings.Join(ids, ",")})
}

// foreignTag looks by name, because ids of another project's tags cannot be computed.
func (s *Store) foreignTag(ctx context.Context, ref image.Ref) (record, error) {
	return s.first(ctx, ref, query{"name": "eq:" + tagName(ref), "status": "active"})
}

func (s *Store) first(ctx context.Context, ref image.Ref, q query) (record, error) {
	var found record
	err := s.list(ctx, q, func(r record) bool {
		if s.isLive(r, ref) {
			found = r
		}
		return found.id == ""
	})
	if err == nil && found.id == "" {
		err = &image.Error{Op: "find tag", ID: ref.String(), Err: image.ErrNotFound}
	}
	return found, err
}

// DeleteTag implements image.Tags: the record is hidden and marked, because its id could not be used again.
func (s *Store) DeleteTag(ctx context.Context, ref image.Ref) error {
	if err := s.mayWrite("delete tag", ref.Repo); err != nil {
		return err
	}
	r, err := s.liveTag(ctx, ref)
	if err != nil {
		return err
	}
	return s.bury(ctx, r)
}

func (s *Store) bury(ctx context.Context, tag record) error {
	yes := true
	_, err := s.update(ctx, tag.id, change{hidden: &yes, patch: patch{}.set(propDeleted, time.Now().UTC().Format(time.RFC3339))})
	return wrap("delete tag", tag.name, err)
}

// List implements image.Tags. One repository is found by an indexed filter, all of them by a property.
func (s *Store) List(ctx context.Context, q image.Query) iter.Seq2[image.Summary, error] {
	return func(yield func(image.Summary, error) bool) {
		stopped := false
		err := s.eachTag(ctx, q.Repo, func(r record) bool {
			stopped = !yield(r.summary(), nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(image.Summary{}, err)
		}
	}
}

func (s *Store) eachTag(ctx context.Context, repo string, f func(record) bool) error {
	live := func(r record) bool {
		own := image.Ref{Repo: r.props[propRepo], Tag: r.props[propTag]}
		if !s.isLive(r, own) || repo != "" && own.Repo != repo {
			return true
		}
		return f(r)
	}
	if repo != "" {
		return s.findByPayload(ctx, repoKey(repo), false, live)
	}
	return s.list(ctx, query{"container_format": "docker", propKind: kindTag, "status": "active", "limit": pageSize}, live)
}

func isMissing(err error) (bool, error) {
	if errors.Is(err, image.ErrNotFound) {
		return true, nil
	}
	return false, err
}
