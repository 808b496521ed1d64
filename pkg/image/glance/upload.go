package glance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// discardTimeout bounds the cleaning up after a broken upload.
const discardTimeout = 30 * time.Second

// smallBlob is how many bytes of an upload are kept here at most. A blob that ends before is written when its digest
// is known, in two requests; a larger one is streamed, and takes a third to get its name.
const smallBlob = 64 << 10

// upload keeps the first bytes, then streams: writer -> sha256 -> pipe -> request body.
type upload struct {
	store *Store
	ctx   context.Context // of the stream, which spans several requests of its client
	repo  string
	hash  hash.Hash
	size  int64
	head  bytes.Buffer // all there is while stream is nil
	on    *stream      // nil: so far it is small

	mu    sync.Mutex
	ended bool
}

// Create implements image.Blobs. Nothing is written before there are bytes.
func (s *Store) Create(ctx context.Context, repo string) (image.Upload, error) {
	if err := s.mayWrite("upload", repo); err != nil {
		return nil, err
	}
	return &upload{store: s, ctx: context.WithoutCancel(ctx), repo: repo, hash: sha256.New()}, nil
}

// Write implements io.Writer.
func (u *upload) Write(b []byte) (n int, err error) {
	if u.on == nil {
		n, _ = u.head.Write(b[:min(len(b), smallBlob-u.head.Len())])
		if n < len(b) {
			u.on = u.store.startStream(u.ctx, u.record(kindUpload), &u.head)
		}
	}
	if n < len(b) {
		var more int
		more, err = u.on.Write(b[n:])
		n += more
	}
	u.hash.Write(b[:n])
	u.size += int64(n)
	return n, err
}

// record is a new one for these bytes. What can be known ahead is set with it, because Glance takes its time for every
// property that changes later.
func (u *upload) record(kind string) newRecordOpts {
	o := newRecordOpts{id: randomID(), name: "uploading", hidden: true, protected: true, props: map[string]string{propKind: kind, propUnclaimed: "yes"}}
	if u.isGzip() {
		o.props[propMediaType], o.props[propParent] = mediaTypeLayer, ""
	}
	return o
}

// mediaTypeLayer is Docker's of a compressed layer (distribution, manifest v2 schema 2).
const mediaTypeLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip"

func (u *upload) isGzip() bool { return bytes.HasPrefix(u.head.Bytes(), []byte{0x1f, 0x8b}) }

// Commit implements image.Upload.
func (u *upload) Commit(ctx context.Context, d digest.Digest) (image.Blob, error) {
	if !u.end() {
		return image.Blob{}, &image.Error{Op: "commit", ID: d.String(), Err: fmt.Errorf("%w: the upload has ended", image.ErrInvalid)}
	}
	if u.on != nil {
		return u.commitStream(ctx, d)
	}
	return u.commitSmall(ctx, d)
}

// Abort implements image.Upload.
func (u *upload) Abort(ctx context.Context) error {
	if !u.end() || u.on == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	return u.on.abort(ctx)
}

// end says whether the caller is the one that ends the upload.
func (u *upload) end() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	first := !u.ended
	u.ended = true
	return first
}
