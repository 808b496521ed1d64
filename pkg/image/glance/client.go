package glance

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"github.com/moset/moset/pkg/image"
)

// query is a list filter with the parameters gophercloud's ListOpts has no field for.
type query map[string]string

// ToImageListQuery implements images.ListOptsBuilder.
func (q query) ToImageListQuery() (string, error) {
	v := make(url.Values, len(q))
	for key, value := range q {
		v.Set(key, value)
	}
	return "?" + v.Encode(), nil
}

// patch is a JSON patch; ops on one record are applied together or not at all.
type patch []map[string]string

// set adds or replaces a property or attribute of text.
func (p patch) set(name, value string) patch {
	return append(p, map[string]string{"op": "add", "path": "/" + name, "value": value})
}

// remove fails with a conflict when the property is not there.
func (p patch) remove(name string) patch {
	return append(p, map[string]string{"op": "remove", "path": "/" + name})
}

// change is a patch plus the two flags of a record that we change.
type change struct {
	patch
	hidden, protected *bool
}

// ToImageUpdateMap implements images.UpdateOptsBuilder.
func (c change) ToImageUpdateMap() ([]any, error) {
	ops := make([]any, 0, len(c.patch)+2)
	for _, op := range c.patch {
		ops = append(ops, op)
	}
	if c.hidden != nil {
		ops = append(ops, map[string]any{"op": "replace", "path": "/os_hidden", "value": *c.hidden})
	}
	if c.protected != nil {
		ops = append(ops, map[string]any{"op": "replace", "path": "/protected", "value": *c.protected})
	}
	return ops, nil
}

func (s *Store) get(ctx context.Context, id string) (record, error) {
	i, err := images.Get(ctx, s.client, id).Extract()
	if err != nil {
		return record{}, wrap("get record", id, err)
	}
	return newRecord(i), nil
}

// list calls f for every record q selects until f says false.
func (s *Store) list(ctx context.Context, q query, f func(record) bool) error {
	err := images.List(s.client, q).EachPage(ctx, func(_ context.Context, p pagination.Page) (bool, error) {
		page, err := images.ExtractImages(p)
		if err != nil {
			return false, err
		}
		for i := range page {
			if !f(newRecord(&page[i])) {
				return false, nil
			}
		}
		return true, nil
	})
	return wrap("list records", "", astray(err))
}

// newRecordOpts are the fields of a record to be made.
type newRecordOpts struct {
	id, name          string
	hidden, protected bool
	props             map[string]string
}

// create makes a record. Its id was chosen by us, so that a repeated request is seen as a conflict; the error then
// satisfies conflict.
func (s *Store) create(ctx context.Context, o newRecordOpts) (record, error) {
	i, err := images.Create(ctx, s.client, images.CreateOpts{
		ID: o.id, Name: o.name, Hidden: &o.hidden, Protected: &o.protected,
		ContainerFormat: "docker", DiskFormat: "raw", Properties: o.props,
	}).Extract()
	if err != nil {
		return record{}, astray(err)
	}
	return newRecord(i), nil
}

func (s *Store) update(ctx context.Context, id string, c change) (record, error) {
	i, err := images.Update(ctx, s.client, id, c).Extract()
	if err != nil {
		return record{}, err
	}
	r := newRecord(i)
	s.cache.learn(r)
	return r, nil
}

// createNew makes a record with a random id, on which a conflict is our own request, repeated.
func (s *Store) createNew(ctx context.Context, o newRecordOpts) (record, error) {
	r, err := s.create(ctx, o)
	switch {
	case conflict(err):
		r, err = s.get(ctx, o.id)
		if missing, _ := isMissing(err); missing {
			err = &image.Error{Op: "create record", ID: o.name, Err: fmt.Errorf("%w: Glance says that it is there and does not show it", image.ErrUnavailable)}
		}
		return r, err
	case maybeDone(err):
		s.discard(ctx, o.id, o.protected)
	}
	return r, wrap("create record", o.name, err)
}

// createWhole makes a record with its payload; on an error it takes the record back.
func (s *Store) createWhole(ctx context.Context, o newRecordOpts, payload []byte) (record, error) {
	r, err := s.createNew(ctx, o)
	if err != nil {
		return record{}, err
	}
	return s.fill(ctx, r, payload)
}

// fill writes the payload of a new record; on an error it takes the record back.
func (s *Store) fill(ctx context.Context, r record, payload []byte) (record, error) {
	if err := imagedata.Upload(ctx, s.client, r.id, bytes.NewReader(payload)).ExtractErr(); err != nil {
		s.discard(ctx, r.id, r.protected)
		return record{}, wrap("write record", r.name, err)
	}
	if s.cache.hashAlgo() == "" {
		now, err := s.get(ctx, r.id)
		s.cache.learn(now)
		return now, err
	}
	r.status, r.size = "active", int64(len(payload)) // what Glance would say now
	return r, nil
}

// discard removes a record of ours that nobody can know yet; it works on when ctx has ended.
func (s *Store) discard(ctx context.Context, id string, protected bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	if err := s.remove(ctx, id, protected); err != nil {
		s.log.WarnContext(ctx, "an unfinished upload stays in Glance", "record", id, "error", err)
	}
}

func (s *Store) remove(ctx context.Context, id string, protected bool) error {
	if protected {
		_, err := s.update(ctx, id, change{protected: new(bool)})
		if gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
			return nil
		}
		if err != nil {
			return wrap("unprotect record", id, err)
		}
	}
	err := images.Delete(ctx, s.client, id).ExtractErr()
	if gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
		return nil
	}
	return wrap("delete record", id, err)
}

// open streams a part of a record's payload.
func (s *Store) open(ctx context.Context, id string, r image.Range) (io.ReadCloser, error) {
	o := &gophercloud.RequestOpts{KeepResponseBody: true, OkCodes: []int{http.StatusOK, http.StatusPartialContent}, MoreHeaders: map[string]string{}}
	ranged := r != (image.Range{}) && !s.cache.noRanges.Load()
	if ranged {
		o.MoreHeaders["Range"] = rangeHeader(r)
	}
	resp, err := s.client.Get(ctx, s.client.ServiceURL("images", id, "file"), nil, o)
	if ranged && gophercloud.ResponseCodeIs(err, http.StatusBadRequest) { // Glance on Swift says so of every range
		s.cache.noRanges.Store(true)
		return s.open(ctx, id, r)
	}
	if err != nil {
		return nil, wrap("read record", id, err)
	}
	body := resp.Body
	if resp.StatusCode == http.StatusOK && r != (image.Range{}) {
		return cut(body, r) // a store behind Glance that cannot seek sends everything
	}
	return body, nil
}

func rangeHeader(r image.Range) string {
	if r.Length == 0 {
		return "bytes=" + strconv.FormatInt(r.Start, 10) + "-"
	}
	return fmt.Sprintf("bytes=%d-%d", r.Start, r.Start+r.Length-1)
}

// cut takes the part r out of a whole payload.
func cut(body io.ReadCloser, r image.Range) (io.ReadCloser, error) {
	if _, err := io.CopyN(io.Discard, body, r.Start); err != nil {
		body.Close()
		return nil, &image.Error{Op: "read range", Err: fmt.Errorf("%w: it starts beyond the end", image.ErrInvalid)}
	}
	if r.Length == 0 {
		return body, nil
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(body, r.Length), body}, nil
}

// randomID is a UUID of version 4. Glance never gives an id out twice, so ids of blobs must not follow from their content.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return formatUUID(b, 4)
}

func formatUUID(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
