package glance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/pkg/image"
)

// How long ago the blobs of a manifest may have been seen when a push begins. Of a new manifest they are looked at
// again at the end; one that is there already keeps them, if only it was not marked long ago.
const (
	seenBeforeNew  = time.Minute
	seenBeforeSame = 2 * time.Second
)

// put is a manifest on its way into Glance.
type put struct {
	*Store
	ref      image.Ref
	tag      look // nil without a tag
	manifest image.Manifest
	contents image.Contents
	old      record // what has the manifest's bytes already; the zero record when there is none
	held     blobs
}

// PutManifest implements image.Manifests. Layers get their places first, then the manifest is written, then all
// blobs are looked at again: one that was collected meanwhile fails the call and not a later pull. The tag comes last.
func (s *Store) PutManifest(ctx context.Context, ref image.Ref, m image.Manifest) error {
	err := s.putManifest(ctx, ref, m)
	if errors.Is(err, image.ErrNotFound) && !errors.Is(err, image.ErrBlobUnknown) { // nothing was asked for
		err = &image.Error{Op: "put manifest", ID: ref.String(), Err: fmt.Errorf("%w: a record was deleted meanwhile, push again: %w", image.ErrUnavailable, err)}
	}
	return err
}

func (s *Store) putManifest(ctx context.Context, ref image.Ref, m image.Manifest) error {
	if err := s.mayWrite("put manifest", ref.Repo); err != nil {
		return err
	}
	c, err := m.Contents()
	if err != nil {
		return err
	}
	if m.Digest.Validate() != nil || m.Digest.Algorithm().FromBytes(m.Body) != m.Digest {
		return &image.Error{Op: "put manifest", ID: ref.String(), Err: image.ErrDigestMismatch}
	}
	p := &put{Store: s, ref: ref, tag: s.lookAhead(ctx, ref), manifest: m, contents: c}
	rec, err := p.store(ctx)
	if err != nil {
		return err
	}
	if c.Subject != nil {
		if err := s.link(ctx, m.Digest, c.Subject.Digest); err != nil {
			return err
		}
	}
	if ref.Tag == "" {
		return nil
	}
	return s.setTag(ctx, ref, rec, p.tag)
}

// store returns the manifest's record, written only where it is not so already.
func (p *put) store(ctx context.Context) (record, error) {
	if err := p.look(ctx); err != nil {
		return record{}, err
	}
	if p.old.kind() == kindManifest && p.old.props[propMediaType] == p.manifest.MediaType && p.intact(ctx) {
		return p.old, nil
	}
	rec, err := p.write(ctx)
	if errors.Is(err, image.ErrNotFound) { // a blob was deleted since it was found
		err = &image.Error{Op: "put manifest", ID: p.manifest.Digest.String(), Err: fmt.Errorf("%w: %w", image.ErrBlobUnknown, err)}
	}
	return rec, err
}

// look finds the blobs and what is there of the manifest.
func (p *put) look(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		p.old, err = p.oldManifest(ctx, p.ref.Repo, p.manifest.Digest)
		return err
	})
	g.Go(func() (err error) {
		p.held, err = p.holdBlobs(ctx, p.ref.Repo, p.contents, seenBeforeNew)
		return err
	})
	if err := g.Wait(); err != nil || p.old.id == "" {
		return err
	}
	var err error
	p.held, err = p.holdBlobs(ctx, p.ref.Repo, p.contents, seenBeforeSame)
	return err
}

// write places the layers and writes the manifest.
func (p *put) write(ctx context.Context) (record, error) {
	props, all, err := p.plan(ctx)
	if err != nil {
		return record{}, err
	}
	if !p.contents.IsImage() {
		return p.complete(ctx, record{}, props)
	}
	made, err := p.place(ctx, props, all)
	if err != nil {
		if made.id != "" {
			p.discard(ctx, made.id, true)
		}
		return record{}, err
	}
	return p.complete(ctx, made, props)
}

// complete writes the manifest and looks at its blobs again. The record of its tag can be made meanwhile.
func (p *put) complete(ctx context.Context, made record, props map[string]string) (rec record, err error) {
	var tag record
	g, both := errgroup.WithContext(ctx)
	if p.tag != nil {
		g.Go(func() error {
			tag = p.makeAhead(ctx, p.ref, props, p.tag) // to its end, to be taken back if the rest fails
			return nil
		})
	}
	g.Go(func() (err error) {
		if rec, err = p.finish(both, made, props); err != nil {
			return err
		}
		p.cache.saw(p.cacheKey(p.ref.Repo, p.manifest.Digest), rec)
		p.cache.setBody(p.manifest.Digest.String(), p.manifest.Body)
		_, err = p.holdBlobs(both, p.ref.Repo, p.contents, 0)
		return err
	})
	err = g.Wait()
	switch {
	case tag.id == "":
	case err != nil:
		p.discard(ctx, tag.id, false)
	default:
		p.tag = func() (record, error) { return tag, nil }
	}
	return rec, err
}

// place makes the records of the layers what they are to be. The manifest's own record is made meanwhile, if it is
// clear what it says of them: nobody sees it before its payload is there.
func (p *put) place(ctx context.Context, props map[string]string, all []place) (made record, err error) {
	guess, known := recordIDs(all)
	props[propLayers] = guess
	g, both := errgroup.WithContext(ctx)
	if known && p.old.id == "" {
		g.Go(func() (err error) {
			made, err = p.createNew(ctx, p.record(maps.Clone(props))) // to its end, to be taken back if the rest fails
			return err
		})
	}
	g.Go(func() error { return p.placeAll(both, all) })
	g.Go(func() error { return p.claimConfig(both, p.held[p.contents.Config.Digest]) })
	if err := g.Wait(); err != nil {
		return made, err
	}
	props[propLayers], _ = recordIDs(all)
	if made.id != "" && props[propLayers] != guess { // another push claimed one
		_, err = p.update(ctx, made.id, change{patch: patch{}.set(propLayers, props[propLayers])})
	}
	return made, wrap("write record", p.manifest.Digest.String(), err)
}

func (p *put) record(props map[string]string) newRecordOpts {
	return newRecordOpts{id: randomID(), name: p.manifest.Digest.String(), hidden: true, protected: true, props: props}
}

// finish writes the payload, or repairs the record that is there (the same bytes may have come as a blob).
func (p *put) finish(ctx context.Context, made record, props map[string]string) (record, error) {
	switch {
	case made.id != "":
		return p.fill(ctx, made, p.manifest.Body)
	case p.old.id == "":
		return p.createWhole(ctx, p.record(props), p.manifest.Body)
	}
	var c patch
	for k, v := range props {
		if p.old.props[k] != v {
			c = c.set(k, v)
		}
	}
	if p.old.props[propUnclaimed] != "" {
		c = c.remove(propUnclaimed)
	}
	r, err := p.update(ctx, p.old.id, change{patch: c})
	return r, wrap("update manifest", p.manifest.Digest.String(), err)
}
