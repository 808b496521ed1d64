package image

import (
	"context"
	"io"
	"iter"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Store holds images for one caller: what it shows and allows is decided by whoever owns the records.
// Repositories of the caller's own project are read and written; others are read where they are visible.
// Every method may fail with ErrUnauthorized, ErrDenied and ErrUnavailable.
type Store interface {
	Blobs
	Manifests
	Tags
	Referrers
}

// Blobs are byte strings named by their digest, shared by all repositories of a project.
type Blobs interface {
	// Stat finds a committed blob. Errors: ErrNotFound.
	Stat(ctx context.Context, repo string, d digest.Digest) (Blob, error)
	// Open reads the part r of a blob; the caller closes it. Errors: ErrNotFound; a part beyond the end is ErrInvalid.
	Open(ctx context.Context, repo string, d digest.Digest, r Range) (io.ReadCloser, error)
	// Create starts an upload, which may outlive ctx. Errors: ErrDenied for another project's repository.
	Create(ctx context.Context, repo string) (Upload, error)
	// DeleteBlob removes a blob from all repositories of the project. Errors: ErrNotFound; ErrDenied while a
	// manifest of the project names it, and for manifests.
	DeleteBlob(ctx context.Context, repo string, d digest.Digest) error
}

// Upload takes the bytes of one blob in order. Nothing of it can be found before Commit.
type Upload interface {
	io.Writer
	// Commit ends the upload and names it. On an error nothing remains. Errors: ErrDigestMismatch.
	Commit(ctx context.Context, d digest.Digest) (Blob, error)
	// Abort ends the upload and removes what was sent. After Commit it does nothing.
	Abort(ctx context.Context) error
}

// Manifests are read and written by reference.
type Manifests interface {
	// Resolve describes an image: digest, id, sizes, layers bottom first. Of an index it takes the platform linux
	// on this machine's architecture. Errors: ErrNotFound.
	Resolve(ctx context.Context, ref Ref) (Image, error)
	// Manifest returns the bytes as pushed. Errors: ErrNotFound.
	Manifest(ctx context.Context, ref Ref) (Manifest, error)
	// PutManifest stores m, gives its layers their ids and parents, and points ref.Tag at it if there is one.
	// What is already so is not written again. Errors: ErrInvalid, ErrBlobUnknown, ErrDigestMismatch.
	PutManifest(ctx context.Context, ref Ref, m Manifest) error
	// DeleteManifest removes the manifest ref.Digest and the tags of ref.Repo that point at it. Errors: ErrNotFound.
	DeleteManifest(ctx context.Context, ref Ref) error
	// Layers returns the layer records of an image as stored, in no order. Errors: ErrNotFound.
	Layers(ctx context.Context, ref Ref) ([]Layer, error)
}

// Tags are movable names of manifests.
type Tags interface {
	// SetTag points ref.Tag at the manifest d of the same project. Errors: ErrNotFound.
	SetTag(ctx context.Context, ref Ref, d digest.Digest) error
	// DeleteTag removes the name and leaves the manifest. Errors: ErrNotFound.
	DeleteTag(ctx context.Context, ref Ref) error
	// List yields the tags that q selects, in no order. It ends after the first error.
	List(ctx context.Context, q Query) iter.Seq2[Summary, error]
}

// Referrers tells which manifests are about another one: signatures, attestations, bills of materials.
type Referrers interface {
	// Referrers yields, in no order, a descriptor of every manifest of the project whose subject is d; d itself need
	// not exist. It ends after the first error.
	Referrers(ctx context.Context, repo string, d digest.Digest) iter.Seq2[v1.Descriptor, error]
}

// Query selects tags; its zero value selects all that the caller sees.
type Query struct {
	Repo string // "project/app"; "" is every repository
}

// Blob is a committed byte string.
type Blob struct {
	Digest digest.Digest
	Size   int64  // bytes
	Record string // id of the store's record
}

// Range is a part of a blob in bytes. Its zero value is the whole.
type Range struct {
	Start  int64
	Length int64 // 0: to the end
}
