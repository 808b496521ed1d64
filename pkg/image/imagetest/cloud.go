package imagetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// Cloud keeps the images of several projects in memory. Projects do not see each other's.
type Cloud struct {
	mu       sync.Mutex
	projects map[string]*project
}

// NewCloud returns an empty cloud.
func NewCloud() *Cloud { return &Cloud{projects: map[string]*project{}} }

// project holds what one project has; the Cloud's mutex guards it.
type project struct {
	blobs     map[digest.Digest][]byte
	manifests map[digest.Digest]image.Manifest
	layers    map[string]image.Layer // by docker_id
	chains    map[digest.Digest][]string
	tags      map[image.Ref]image.Summary
}

// Store returns the store of a project, as seen by its members.
func (c *Cloud) Store(name string) image.Store {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.projects[name]
	if p == nil {
		p = &project{
			blobs: map[digest.Digest][]byte{}, manifests: map[digest.Digest]image.Manifest{},
			layers: map[string]image.Layer{}, chains: map[digest.Digest][]string{}, tags: map[image.Ref]image.Summary{},
		}
		c.projects[name] = p
	}
	return &memory{name: name, mu: &c.mu, p: p}
}

// memory is an image.Store.
type memory struct {
	name string
	mu   *sync.Mutex
	p    *project
}

// bytes are those of a blob or manifest.
func (p *project) bytes(d digest.Digest) ([]byte, bool) {
	if man, ok := p.manifests[d]; ok {
		return man.Body, true
	}
	b, ok := p.blobs[d]
	return b, ok
}

func notFound(op, id string) error { return &image.Error{Op: op, ID: id, Err: image.ErrNotFound} }

func (m *memory) owns(repo string) bool { return image.Owns("", m.name, repo) }

func (m *memory) mayWrite(repo string) error {
	if m.owns(repo) {
		return nil
	}
	return &image.Error{Op: "write", ID: repo, Err: image.ErrDenied}
}

// Stat implements image.Blobs.
func (m *memory) Stat(_ context.Context, repo string, d digest.Digest) (image.Blob, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stat(repo, d)
}

func (m *memory) stat(repo string, d digest.Digest) (image.Blob, error) {
	b, ok := m.p.bytes(d)
	if !ok || !m.owns(repo) {
		return image.Blob{}, notFound("find", d.String())
	}
	return image.Blob{Digest: d, Size: int64(len(b)), Record: "memory:" + d.String()}, nil
}

// Open implements image.Blobs.
func (m *memory) Open(_ context.Context, repo string, d digest.Digest, r image.Range) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.stat(repo, d); err != nil {
		return nil, err
	}
	b, _ := m.p.bytes(d)
	if r.Start > int64(len(b)) {
		return nil, &image.Error{Op: "read range", ID: d.String(), Err: image.ErrInvalid}
	}
	b = b[r.Start:]
	if r.Length > 0 {
		b = b[:min(r.Length, int64(len(b)))]
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Create implements image.Blobs.
func (m *memory) Create(_ context.Context, repo string) (image.Upload, error) {
	if err := m.mayWrite(repo); err != nil {
		return nil, err
	}
	return &memoryUpload{m: m}, nil
}

type memoryUpload struct {
	m   *memory
	buf bytes.Buffer
}

func (u *memoryUpload) Write(p []byte) (int, error) { return u.buf.Write(p) }

func (u *memoryUpload) Commit(_ context.Context, d digest.Digest) (image.Blob, error) {
	if got := d.Algorithm().FromBytes(u.buf.Bytes()); got != d {
		return image.Blob{}, &image.Error{Op: "commit", ID: d.String(), Err: fmt.Errorf("%w: it is %s", image.ErrDigestMismatch, got)}
	}
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	u.m.p.blobs[d] = u.buf.Bytes()
	return image.Blob{Digest: d, Size: int64(u.buf.Len()), Record: "memory:" + d.String()}, nil
}

func (u *memoryUpload) Abort(context.Context) error { return nil }

// Resolve implements image.Manifests.
func (m *memory) Resolve(ctx context.Context, ref image.Ref) (image.Image, error) {
	return image.Describe(ctx, m, ref)
}

// Manifest implements image.Manifests.
func (m *memory) Manifest(_ context.Context, ref image.Ref) (image.Manifest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.manifest(ref)
}

func (m *memory) manifest(ref image.Ref) (image.Manifest, error) {
	d := ref.Digest
	if d == "" {
		d = m.p.tags[image.Ref{Repo: ref.Repo, Tag: ref.Tag}].Digest
	}
	man, ok := m.p.manifests[d]
	if !ok || !m.owns(ref.Repo) {
		return image.Manifest{}, notFound("find manifest", ref.String())
	}
	return man, nil
}

// List implements image.Tags.
func (m *memory) List(_ context.Context, q image.Query) iter.Seq2[image.Summary, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []image.Summary
	for ref, t := range m.p.tags {
		if q.Repo == "" || q.Repo == ref.Repo {
			found = append(found, t)
		}
	}
	return func(yield func(image.Summary, error) bool) {
		for _, t := range found {
			if !yield(t, nil) {
				return
			}
		}
	}
}
