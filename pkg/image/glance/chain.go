package glance

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/pkg/image"
)

// place is where a layer of an image is, or is to be.
type place struct {
	layer image.Layer
	blob  record // the zero record for a layer that is not pushed
	id    string // of the record that says the layer's place; "" when that has to be an alias
}

// places says which records may tell the places of layers: the blobs themselves, as long as no other chain has them.
func places(layers []image.Layer, blobs map[digest.Digest]record) []place {
	all := make([]place, len(layers))
	taken := make(map[digest.Digest]bool, len(layers))
	for i, l := range layers {
		blob := blobs[l.Digest]
		all[i] = place{layer: l, blob: blob}
		// A blob twice in one image (often the empty layer) serves the first place, the second gets an alias.
		if blob.id != "" && (blob.props[propID] == l.ID || blob.props[propUnclaimed] != "" && !taken[l.Digest]) {
			all[i].id = blob.id
		}
		taken[l.Digest] = true
	}
	return all
}

// recordIDs are the records of places, bottom first; false when there is none yet for some.
func recordIDs(all []place) (string, bool) {
	ids := make([]string, len(all))
	known := true
	for i, p := range all {
		ids[i] = p.id
		known = known && p.id != ""
	}
	return strings.Join(ids, ","), known
}

// placeAll makes the records of places what they are to be.
func (s *Store) placeAll(ctx context.Context, all []place) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i := range all {
		g.Go(func() error { return s.placeOne(ctx, &all[i]) })
	}
	return g.Wait()
}

func (s *Store) placeOne(ctx context.Context, p *place) error {
	if p.id != "" {
		if p.blob.props[propID] == p.layer.ID {
			return nil
		}
		claimed, err := s.claim(ctx, p.layer, p.blob)
		if claimed || err != nil {
			return err
		}
	}
	var err error
	p.id, err = s.alias(ctx, p.layer, p.blob)
	return err
}

// claim makes blob the record of the layer. Removing the mark of an unclaimed blob fails when somebody else was
// faster, which is the nearest to compare-and-swap that Glance has.
func (s *Store) claim(ctx context.Context, l image.Layer, blob record) (bool, error) {
	p := patch{}.remove(propUnclaimed)
	for _, want := range [][2]string{{propKind, kindLayer}, {propID, l.ID}, {propParent, l.Parent}, {propDiffID, l.DiffID.String()}, {propMediaType, l.MediaType}} {
		if have, ok := blob.props[want[0]]; !ok || have != want[1] {
			p = p.set(want[0], want[1])
		}
	}
	_, err := s.update(ctx, blob.id, change{patch: p})
	if !conflict(err) {
		return err == nil, wrap("place layer", l.ID, err)
	}
	now, err := s.get(ctx, blob.id)
	if err == nil && !now.usable() {
		err = &image.Error{Op: "place layer", ID: l.ID, Err: fmt.Errorf("%w: its blob was deleted just now", image.ErrNotFound)}
	}
	return now.props[propID] == l.ID, err
}

// claimConfig marks a blob as an image config.
func (s *Store) claimConfig(ctx context.Context, blob record) error {
	if blob.props[propUnclaimed] == "" {
		return nil
	}
	_, err := s.update(ctx, blob.id, change{patch: patch{}.remove(propUnclaimed).set(propKind, kindConfig)})
	if conflict(err) {
		return nil // another push of the same config
	}
	return wrap("mark config", blob.id, err)
}

// alias finds or makes a record for a layer whose blob is already part of another chain. Its payload is the layer's
// id, so that Glance finds it by its hash.
func (s *Store) alias(ctx context.Context, l image.Layer, blob record) (string, error) {
	var found record
	err := s.findByPayload(ctx, l.ID, true, func(r record) bool {
		if r.kind() == kindAlias && r.props[propID] == l.ID && r.digest() == l.Digest && r.owner == s.projectID {
			found = r
		}
		return found.id == ""
	})
	if err != nil {
		return "", err
	}
	if found.id != "" {
		if r, ok, err := s.useful(ctx, found); ok || err != nil {
			return r.id, err
		}
	}
	r, err := s.createWhole(ctx, newRecordOpts{
		id: randomID(), name: "alias:" + l.ID, hidden: true, protected: true,
		props: map[string]string{
			propKind: kindAlias, propID: l.ID, propParent: l.Parent, propDiffID: l.DiffID.String(),
			propDigest: l.Digest.String(), propMediaType: l.MediaType, propBlob: blob.id, propSize: strconv.FormatInt(l.Size, 10),
		},
	}, []byte(l.ID))
	return r.id, err
}

// Layers implements image.Manifests.
func (s *Store) Layers(ctx context.Context, ref image.Ref) ([]image.Layer, error) {
	r, err := s.manifestRecord(ctx, ref)
	if err != nil {
		return nil, err
	}
	m, err := s.Manifest(ctx, image.Ref{Repo: ref.Repo, Digest: r.digest()})
	if err != nil {
		return nil, err
	}
	d, err := image.PlatformDigest(ref, m)
	if err != nil {
		return nil, err
	}
	if d != r.digest() {
		if r, err = s.find(ctx, ref.Repo, d); err != nil {
			return nil, err
		}
	}
	return s.layerRecords(ctx, r)
}

// layerRecords reads the records a manifest's record lists, all in one query.
func (s *Store) layerRecords(ctx context.Context, manifest record) ([]image.Layer, error) {
	ids := manifest.layerIDs()
	if len(ids) == 0 {
		return nil, nil
	}
	layers := make([]image.Layer, 0, len(ids))
	err := s.list(ctx, query{"id": "in:" + strings.Join(ids, ","), "os_hidden": "true", "limit": pageSize}, func(r record) bool {
		if r.usable() {
			layers = append(layers, r.layer())
		}
		return true
	})
	return layers, err
}
