package glance

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"github.com/moset/moset/pkg/image"
)

// surveyPage is as many records as Glance gives at once.
const surveyPage = "1000"

// survey reads all records that have changed since; the zero time is all.
func (r *run) survey(ctx context.Context, since time.Time) error {
	for _, hidden := range []string{"false", "true"} { // tags before what they lead to: a tag comes last in a push
		if err := r.surveyAll(ctx, hidden, since); err != nil {
			return err
		}
	}
	return nil
}

// surveyAll pages through records from the oldest on. When the record that a page ended with is deleted meanwhile,
// Glance cannot go on from there, and the page is found by its time.
func (r *run) surveyAll(ctx context.Context, hidden string, since time.Time) error {
	q := query{"container_format": "docker", "os_hidden": hidden, "limit": surveyPage, "sort": "created_at:asc"}
	if !r.cfg.AllProjects {
		q["owner"] = r.store.projectID
	}
	if !since.IsZero() {
		q["updated_at"] = "gte:" + since.Add(-time.Second).UTC().Format(time.RFC3339)
	}
	last := ""
	for {
		err := r.surveyPages(ctx, q, &last)
		if !errors.Is(err, image.ErrInvalid) || last == "" || q["created_at"] == "gte:"+last {
			return err
		}
		q["created_at"] = "gte:" + last
	}
}

func (r *run) surveyPages(ctx context.Context, q query, last *string) error {
	var failed error
	err := images.List(r.store.client, q).EachPage(ctx, func(ctx context.Context, p pagination.Page) (bool, error) {
		if page, ok := p.(images.ImagePage); ok && !r.clocked {
			if now, err := http.ParseTime(page.Header.Get("Date")); err == nil && r.cfg.Now == nil {
				r.now = now
			}
			r.clocked = true
		}
		found, err := images.ExtractImages(p)
		if err != nil {
			return false, err
		}
		for n := range found {
			rec := newRecord(&found[n])
			*last = rec.created.UTC().Format(time.RFC3339)
			if failed = r.add(ctx, rec); failed != nil {
				return false, nil
			}
		}
		return true, nil
	})
	if failed != nil {
		return failed
	}
	return wrap("list records", "", err)
}

// add notes a record, or that it has changed.
func (r *run) add(ctx context.Context, rec record) error {
	k := key{rec.owner, rec.props[propDigest]}
	switch rec.kind() {
	case "":
		return nil // somebody else's image
	case kindTag:
		if _, deleted := rec.props[propDeleted]; !deleted {
			r.tagged[key{rec.owner, rec.props[propManifest]}] = true
		}
		return nil
	}
	i := &item{
		id: rec.id, owner: rec.owner, kind: rec.kind(), was: rec.props[propWas], name: rec.name, digest: rec.props[propDigest],
		created: rec.created, updated: rec.updated, size: rec.size, marked: rec.marked(), subject: rec.props[propSubject],
	}
	if i.formerKind() == kindLink {
		i.digest = rec.props[propManifest]
	}
	if !rec.active() { // its writer is at work, or broke off
		i.kind = kindUpload
	}
	if i.formerKind() == kindManifest {
		i.records = rec.layerIDs()
		var err error
		if i.uses, err = r.usesOf(ctx, rec); err != nil {
			return err
		}
	}
	if old := r.records[i.id]; old != nil {
		keep := *i
		*old = keep // whoever has the old one sees the new one
		return nil
	}
	r.records[i.id] = i
	if k.digest != "" && i.formerKind() != kindAlias {
		r.byDigest[k] = append(r.byDigest[k], i)
	}
	return nil
}

// usesOf are the digests that a manifest names: by its record, or by its bytes when its list was too long for that.
func (r *run) usesOf(ctx context.Context, rec record) ([]string, error) {
	if needs, ok := rec.props[propNeeds]; ok {
		return strings.FieldsFunc(needs, func(c rune) bool { return c == ',' }), nil
	}
	body, err := r.store.payload(ctx, rec)
	if missing, err := isMissing(err); missing || err != nil {
		return nil, err
	}
	m := image.Manifest{MediaType: rec.props[propMediaType], Digest: rec.digest(), Body: body}
	c, err := m.Contents()
	if err != nil {
		return nil, nil // nothing that could be pulled
	}
	var all []string
	for _, d := range slices.Concat(c.Blobs(), c.Manifests) {
		all = append(all, d.Digest.String())
	}
	return all, nil
}
