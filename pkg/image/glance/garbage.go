package glance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"

	"github.com/moset/moset/pkg/image"
)

// A record goes in three steps. A marked one (propMarked) is found and served as ever, and whoever needs it rescues
// it by taking the mark away. A condemned one (kindGarbage) is found by nobody, so that a push sends the bytes again;
// only the collector may still restore it. Then it is deleted, and its id never comes back.

// settle is longer than Glance takes to write one PATCH. Glance has no compare-and-swap: of two PATCHes at once both
// succeed and the later one stays, so a look right after the own one may be too early.
const settle = 200 * time.Millisecond

func (r record) marked() bool { return r.props[propMarked] != "" }

// held says whether a record is protected and nobody wants to delete it.
func (r record) held() bool { return r.protected && !r.marked() }

// rescue takes a record out of the collector's hand. ErrNotFound: the collector was faster, the record is as good as gone.
func (s *Store) rescue(ctx context.Context, r record) (record, error) {
	if r.held() {
		return r, nil
	}
	yes := true
	c := change{protected: &yes}
	if r.marked() {
		c.patch = c.patch.remove(propMarked)
	}
	_, err := s.update(ctx, r.id, c)
	if err != nil && !conflict(err) { // a conflict: another push has rescued it
		return record{}, wrap("rescue record", r.id, err)
	}
	if err := sleep(ctx, settle); err != nil {
		return record{}, err
	}
	now, err := s.get(ctx, r.id)
	if err == nil && !now.usable() {
		err = &image.Error{Op: "rescue record", ID: r.id, Err: fmt.Errorf("%w: it is being deleted", image.ErrNotFound)}
	}
	return now, err
}

// usable says whether a record is one that images may be made of.
func (r record) usable() bool {
	return r.kind() != "" && r.kind() != kindGarbage && r.kind() != kindUpload
}

// useful rescues a record that was found for a push, and says whether it may be used. A caller who may not write it
// uses it as it is.
func (s *Store) useful(ctx context.Context, r record) (record, bool, error) {
	if !r.marked() || r.owner != s.projectID {
		return r, true, nil
	}
	now, err := s.rescue(ctx, r)
	switch {
	case errors.Is(err, image.ErrNotFound):
		return record{}, false, nil
	case errors.Is(err, image.ErrDenied):
		return r, true, nil
	}
	return now, err == nil, err
}

// condemn takes a record out of everybody's sight. Errors: errRescued when somebody needs it after all.
func (s *Store) condemn(ctx context.Context, r record) error {
	c := change{protected: new(bool), patch: patch{}.set(propKind, kindGarbage).set(propWas, r.kind())}
	if r.marked() {
		c.patch = c.patch.remove(propMarked)
	}
	_, err := s.update(ctx, r.id, c)
	if conflict(err) {
		return errRescued
	}
	return wrap("condemn record", r.id, err)
}

var errRescued = errors.New("it is needed again")

// restore gives a condemned record back.
func (s *Store) restore(ctx context.Context, id, kind string) error {
	yes := true
	_, err := s.update(ctx, id, change{protected: &yes, patch: patch{}.set(propKind, kind).remove(propWas)})
	if conflict(err) {
		return nil
	}
	return wrap("restore record", id, err)
}

// destroy deletes a condemned record unless it is none any more. Errors: errRescued.
func (s *Store) destroy(ctx context.Context, id string) error {
	now, err := s.get(ctx, id)
	if missing, err := isMissing(err); missing || err != nil {
		return err
	}
	if now.kind() != kindGarbage || now.protected {
		return errRescued
	}
	err = images.Delete(ctx, s.client, id).ExtractErr()
	switch {
	case gophercloud.ResponseCodeIs(err, http.StatusForbidden):
		return errRescued
	case gophercloud.ResponseCodeIs(err, http.StatusNotFound):
		return nil
	}
	return wrap("delete record", id, err)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
