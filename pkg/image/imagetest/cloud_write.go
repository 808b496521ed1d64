package imagetest

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// PutManifest implements image.Manifests.
func (m *memory) PutManifest(_ context.Context, ref image.Ref, man image.Manifest) error {
	if err := m.mayWrite(ref.Repo); err != nil {
		return err
	}
	c, err := man.Contents()
	if err != nil {
		return err
	}
	if man.Digest.Algorithm().FromBytes(man.Body) != man.Digest {
		return &image.Error{Op: "put manifest", ID: ref.String(), Err: image.ErrDigestMismatch}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check(ref.Repo, c); err != nil {
		return err
	}
	if err := m.place(man.Digest, c); err != nil {
		return err
	}
	man.MediaType = c.MediaType
	m.p.manifests[man.Digest] = man
	if ref.Tag != "" {
		m.setTag(ref, man.Digest, c)
	}
	return nil
}

// check says whether all that the manifest names is there in its size.
func (m *memory) check(repo string, c image.Contents) error {
	for _, d := range slices.Concat(c.Blobs(), c.Manifests) {
		b, err := m.stat(repo, d.Digest)
		if err != nil {
			return &image.Error{Op: "put manifest", ID: d.Digest.String(), Err: image.ErrBlobUnknown}
		}
		if b.Size != d.Size {
			return &image.Error{Op: "put manifest", ID: d.Digest.String(), Err: image.ErrInvalid}
		}
	}
	return nil
}

// place records the layers of an image.
func (m *memory) place(d digest.Digest, c image.Contents) error {
	if !c.IsImage() {
		return nil
	}
	cfg, err := image.ParseConfig(m.p.blobs[c.Config.Digest])
	if err != nil {
		return err
	}
	layers, err := image.LayersOf(c, cfg)
	if err != nil {
		return err
	}
	ids := make([]string, len(layers))
	for i, l := range layers {
		l.Record, l.CreatedBy = "memory:"+l.ID, ""
		m.p.layers[l.ID] = l
		ids[i] = l.ID
	}
	m.p.chains[d] = ids
	return nil
}

// DeleteManifest implements image.Manifests.
func (m *memory) DeleteManifest(_ context.Context, ref image.Ref) error {
	if err := m.mayWrite(ref.Repo); err != nil {
		return err
	}
	if ref.Digest == "" {
		return &image.Error{Op: "delete manifest", ID: ref.String(), Err: image.ErrInvalid}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.manifest(ref); err != nil {
		return err
	}
	elsewhere := false
	for at, t := range m.p.tags {
		switch {
		case t.Digest != ref.Digest:
		case at.Repo == ref.Repo:
			delete(m.p.tags, at)
		default:
			elsewhere = true
		}
	}
	if !elsewhere {
		delete(m.p.manifests, ref.Digest)
	}
	return nil
}

// Layers implements image.Manifests.
func (m *memory) Layers(_ context.Context, ref image.Ref) ([]image.Layer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	man, err := m.manifest(ref)
	if err != nil {
		return nil, err
	}
	d, err := image.PlatformDigest(ref, man)
	if err != nil {
		return nil, err
	}
	var layers []image.Layer
	for _, id := range m.p.chains[d] {
		layers = append(layers, m.p.layers[id])
	}
	return layers, nil
}

// SetTag implements image.Tags.
func (m *memory) SetTag(_ context.Context, ref image.Ref, d digest.Digest) error {
	if err := m.mayWrite(ref.Repo); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	man, err := m.manifest(image.Ref{Repo: ref.Repo, Digest: d})
	if err != nil {
		return err
	}
	c, err := man.Contents()
	if err != nil {
		return err
	}
	m.setTag(ref, d, c)
	return nil
}

func (m *memory) setTag(ref image.Ref, d digest.Digest, c image.Contents) {
	t := image.Summary{Repo: ref.Repo, Tag: ref.Tag, Digest: d, Size: c.Size(), Layers: len(c.Layers), Record: "memory:" + ref.Repo + "@" + ref.Tag}
	if cfg, err := image.ParseConfig(m.p.blobs[c.Config.Digest]); err == nil && c.IsImage() {
		t.ID = c.Config.Digest
		if cfg.Created != nil {
			t.Created = cfg.Created.UTC()
		}
	}
	m.p.tags[image.Ref{Repo: ref.Repo, Tag: ref.Tag}] = t
}

// DeleteTag implements image.Tags.
func (m *memory) DeleteTag(_ context.Context, ref image.Ref) error {
	if err := m.mayWrite(ref.Repo); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := image.Ref{Repo: ref.Repo, Tag: ref.Tag}
	if _, ok := m.p.tags[at]; !ok {
		return notFound("delete tag", ref.String())
	}
	delete(m.p.tags, at)
	return nil
}
