package imagetest

import (
	"context"
	"fmt"
	"iter"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/moset/moset/pkg/image"
)

// Referrers implements image.Referrers.
func (m *memory) Referrers(_ context.Context, repo string, d digest.Digest) iter.Seq2[v1.Descriptor, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []v1.Descriptor
	if m.owns(repo) {
		for _, man := range m.p.manifests {
			c, err := man.Contents()
			if err != nil || c.Subject == nil || c.Subject.Digest != d {
				continue
			}
			if desc, err := man.Descriptor(); err == nil { // what was accepted is read again
				found = append(found, desc)
			}
		}
	}
	return func(yield func(v1.Descriptor, error) bool) {
		for _, desc := range found {
			if !yield(desc, nil) {
				return
			}
		}
	}
}

// DeleteBlob implements image.Blobs.
func (m *memory) DeleteBlob(_ context.Context, repo string, d digest.Digest) error {
	if err := m.mayWrite(repo); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.stat(repo, d); err != nil {
		return err
	}
	if _, ok := m.p.manifests[d]; ok {
		return &image.Error{Op: "delete blob", ID: d.String(), Err: fmt.Errorf("%w: it is a manifest, delete it as such", image.ErrDenied)}
	}
	for _, man := range m.p.manifests {
		if c, err := man.Contents(); err == nil && c.Names(d) {
			return &image.Error{Op: "delete blob", ID: d.String(), Err: fmt.Errorf("%w: manifest %s needs it, delete that first", image.ErrDenied, man.Digest)}
		}
	}
	delete(m.p.blobs, d)
	return nil
}
