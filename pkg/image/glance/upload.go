package glance

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// discardTimeout bounds the cleaning up after a broken upload.
const discardTimeout = 30 * time.Second

// upload streams into an open Glance PUT: writer -> sha256 -> pipe -> request body. Nothing is kept here.
type upload struct {
	store  *Store
	repo   string
	id     string // of the record
	hash   hash.Hash
	size   int64
	pipe   *io.PipeWriter
	cancel context.CancelFunc
	done   chan struct{} // closed when the PUT has ended
	err    error         // of the PUT; read after done

	mu    sync.Mutex
	ended bool
}

// Create implements image.Blobs: it makes a hidden record and opens the PUT of its payload.
func (s *Store) Create(ctx context.Context, repo string) (image.Upload, error) {
	if err := s.mayWrite("upload", repo); err != nil {
		return nil, err
	}
	id := randomID()
	_, err := s.create(ctx, newRecordOpts{id: id, name: "uploading", hidden: true, props: map[string]string{propKind: kindUpload}})
	if err != nil && !conflict(err) { // a conflict on a random id is our own request, repeated
		if maybeDone(err) {
			s.discard(ctx, id, false)
		}
		return nil, wrap("start upload", repo, err)
	}
	// The upload spans several requests of its client, so it ends by Commit or Abort and not with ctx.
	putCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r, w := io.Pipe()
	u := &upload{store: s, repo: repo, id: id, hash: sha256.New(), pipe: w, cancel: cancel, done: make(chan struct{})}
	go u.put(putCtx, r)
	return u, nil
}

func (u *upload) put(ctx context.Context, r *io.PipeReader) {
	defer close(u.done)
	u.err = wrap("upload", u.id, imagedata.Upload(ctx, u.store.client, u.id, r).ExtractErr())
	if u.err != nil {
		r.CloseWithError(u.err)
		return
	}
	r.Close()
}

// Write implements io.Writer: it returns when Glance has taken the bytes.
func (u *upload) Write(b []byte) (int, error) {
	n, err := u.pipe.Write(b)
	u.hash.Write(b[:n])
	u.size += int64(n)
	if errors.Is(err, io.ErrClosedPipe) { // the PUT has ended and its connection does not say why
		<-u.done
		err = cmp.Or(u.err, err)
	}
	return n, err
}

// Commit implements image.Upload.
func (u *upload) Commit(ctx context.Context, d digest.Digest) (image.Blob, error) {
	if !u.end() {
		return image.Blob{}, &image.Error{Op: "commit", ID: d.String(), Err: fmt.Errorf("%w: the upload has ended", image.ErrInvalid)}
	}
	defer u.cancel()
	u.pipe.Close()
	select {
	case <-u.done:
	case <-ctx.Done():
		u.cancel()
		<-u.done
	}
	blob, err := u.finish(ctx, d)
	if err != nil {
		u.store.discard(ctx, u.id, false)
	}
	return blob, err
}

func (u *upload) finish(ctx context.Context, d digest.Digest) (image.Blob, error) {
	if u.err != nil {
		return image.Blob{}, u.err
	}
	if err := u.verify(ctx, d); err != nil {
		return image.Blob{}, err
	}
	// Of the same bytes sent twice at once, the first to come here stays. What two replicas of a registry commit in the
	// same moment becomes two records, of which all use the older one and the collector takes the other.
	defer u.store.cache.commits.lock(u.store.cacheKey(u.repo, d))()
	if twin, ok, err := u.twin(ctx, d); ok || err != nil {
		u.store.discard(ctx, u.id, false)
		return twin.blob(), err
	}
	yes := true
	c := change{protected: &yes, patch: patch{}.set("name", d.String()).set(propDigest, d.String()).set(propKind, kindBlob).set(propUnclaimed, "yes")}
	r, err := u.store.update(ctx, u.id, c)
	if err != nil {
		return image.Blob{}, wrap("commit", d.String(), err)
	}
	if r.size != u.size || r.hashAlgo == d.Algorithm().String() && r.hashValue != d.Encoded() {
		u.store.discard(ctx, u.id, true)
		return image.Blob{}, &image.Error{Op: "commit", ID: d.String(), Err: fmt.Errorf("%w: Glance stored other bytes than were sent, push again", image.ErrUnavailable)}
	}
	u.store.cache.setID(u.store.cacheKey(u.repo, d), r.id)
	return r.blob(), nil
}

// twin is the record that has the same bytes already.
func (u *upload) twin(ctx context.Context, d digest.Digest) (record, bool, error) {
	twins, err := u.store.findAll(ctx, u.repo, d)
	if err != nil || len(twins) == 0 {
		return record{}, false, err
	}
	return u.store.useful(ctx, twins[0])
}

// verify compares the bytes with their digest. Other digests than sha256 are rare: Glance's own hash is used if it is
// of that kind, else the payload is read back.
func (u *upload) verify(ctx context.Context, d digest.Digest) error {
	got := digest.NewDigest(digest.SHA256, u.hash)
	if d.Algorithm() != digest.SHA256 {
		var err error
		if got, err = u.rehash(ctx, d.Algorithm()); err != nil {
			return err
		}
	}
	if got != d {
		return &image.Error{Op: "commit", ID: d.String(), Err: fmt.Errorf("%w: it is %s", image.ErrDigestMismatch, got)}
	}
	return nil
}

func (u *upload) rehash(ctx context.Context, algo digest.Algorithm) (digest.Digest, error) {
	if !algo.Available() {
		return "", &image.Error{Op: "commit", Err: fmt.Errorf("%w: digests of kind %q are not supported", image.ErrInvalid, algo)}
	}
	r, err := u.store.get(ctx, u.id)
	if err != nil {
		return "", err
	}
	if r.hashAlgo == algo.String() {
		return digest.NewDigestFromEncoded(algo, r.hashValue), nil
	}
	body, err := u.store.open(ctx, u.id, image.Range{})
	if err != nil {
		return "", err
	}
	defer body.Close()
	got, err := algo.FromReader(body)
	return got, wrap("commit", u.id, err)
}

// Abort implements image.Upload.
func (u *upload) Abort(ctx context.Context) error {
	if !u.end() {
		return nil
	}
	u.pipe.CloseWithError(context.Canceled)
	u.cancel()
	<-u.done
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	return u.store.remove(ctx, u.id, false)
}

// end says whether the caller is the one that ends the upload.
func (u *upload) end() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	first := !u.ended
	u.ended = true
	return first
}
