package glance

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/moset/moset/pkg/image"
)

// Of the same bytes sent twice at once, the first to be committed stays. What two replicas of a registry commit in the
// same moment becomes two records, of which all use the older one and the collector takes the other.

// commitSmall writes a blob whose bytes are all here: a record that has its name from the beginning, then the payload.
func (u *upload) commitSmall(ctx context.Context, d digest.Digest) (image.Blob, error) {
	if !d.Algorithm().Available() {
		return image.Blob{}, noSuchAlgorithm(d.Algorithm())
	}
	if err := compare(d, d.Algorithm().FromBytes(u.head.Bytes())); err != nil {
		return image.Blob{}, err
	}
	key := u.store.cacheKey(u.repo, d)
	defer u.store.cache.commits.lock(key)()
	if u.store.cache.id(key) != "" { // it is probably there
		if twin, ok, err := u.twin(ctx, d); ok || err != nil {
			return twin.blob(), err
		}
	}
	made, twin, err := u.makeSmall(ctx, d)
	if err != nil || twin.id != "" {
		return twin.blob(), err
	}
	if made, err = u.store.fill(ctx, made, u.head.Bytes()); err != nil {
		return image.Blob{}, err
	}
	u.store.cache.saw(key, made)
	return made.blob(), nil
}

// makeSmall makes the record of a small blob, which nobody finds without its payload, and looks for a twin at the same
// time. It returns one of the two.
func (u *upload) makeSmall(ctx context.Context, d digest.Digest) (made, twin record, err error) {
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		twin, _, err = u.twin(both, d)
		return err
	})
	g.Go(func() (err error) {
		made, err = u.store.createNew(ctx, u.smallRecord(d)) // to its end, to be taken back if the look fails
		return err
	})
	err = g.Wait()
	if made.id != "" && (err != nil || twin.id != "") {
		u.store.discard(ctx, made.id, true)
		made = record{}
	}
	return made, twin, err
}

// smallRecord says at once what the blob is, as far as its bytes tell.
func (u *upload) smallRecord(d digest.Digest) newRecordOpts {
	o := u.record(kindBlob)
	o.name, o.props[propDigest] = d.String(), d.String()
	if u.isGzip() {
		o.props[propKind] = kindLayer
	}
	if isConfig(u.head.Bytes()) {
		o.props[propKind] = kindConfig
		delete(o.props, propUnclaimed)
		u.store.cache.setBody(d.String(), u.head.Bytes())
	}
	return o
}

// isConfig says whether bytes are an image's config, which no manifest has to claim.
func isConfig(b []byte) bool {
	if len(b) == 0 || b[0] != '{' {
		return false
	}
	c, err := image.ParseConfig(b)
	return err == nil && c.RootFS.Type == "layers"
}

// commitStream gives the record of a payload that is with Glance its name.
func (u *upload) commitStream(ctx context.Context, d digest.Digest) (blob image.Blob, err error) {
	defer u.on.cancel()
	defer func() {
		if err != nil && u.on.made {
			u.store.discard(ctx, u.on.opts.id, true)
		}
	}()
	key := u.store.cacheKey(u.repo, d)
	defer u.store.cache.commits.lock(key)()
	var twin record
	var found bool
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		twin, found, err = u.twin(both, d)
		return err
	})
	g.Go(func() error { return u.on.wait(both) })
	if err := g.Wait(); err != nil {
		return image.Blob{}, err
	}
	if err := u.verify(ctx, d); err != nil {
		return image.Blob{}, err
	}
	if found {
		u.store.discard(ctx, u.on.opts.id, true)
		return twin.blob(), nil
	}
	return u.name(ctx, key, d)
}

func (u *upload) name(ctx context.Context, key string, d digest.Digest) (image.Blob, error) {
	kind := kindBlob
	if u.on.opts.props[propMediaType] != "" {
		kind = kindLayer
	}
	r, err := u.store.update(ctx, u.on.opts.id, change{patch: patch{}.set("name", d.String()).set(propDigest, d.String()).set(propKind, kind)})
	if err != nil {
		return image.Blob{}, wrap("commit", d.String(), err)
	}
	if r.size != u.size || r.hashAlgo == d.Algorithm().String() && r.hashValue != d.Encoded() {
		return image.Blob{}, &image.Error{Op: "commit", ID: d.String(), Err: fmt.Errorf("%w: Glance stored other bytes than were sent, push again", image.ErrUnavailable)}
	}
	u.store.cache.saw(key, r)
	return r.blob(), nil
}

// twin is the record that has the same bytes already.
func (u *upload) twin(ctx context.Context, d digest.Digest) (record, bool, error) {
	twins, err := u.store.findAll(ctx, u.repo, d)
	if err != nil || len(twins) == 0 {
		return record{}, false, err
	}
	return u.store.useful(ctx, twins[0]) // the zero record when it is as good as gone
}

// verify compares streamed bytes with their digest. Other digests than sha256 are rare: Glance's own hash is used if it
// is of that kind, else the payload is read back.
func (u *upload) verify(ctx context.Context, d digest.Digest) error {
	got := digest.NewDigest(digest.SHA256, u.hash)
	if d.Algorithm() != digest.SHA256 {
		var err error
		if got, err = u.rehash(ctx, d.Algorithm()); err != nil {
			return err
		}
	}
	return compare(d, got)
}

func compare(want, got digest.Digest) error {
	if got == want {
		return nil
	}
	return &image.Error{Op: "commit", ID: want.String(), Err: fmt.Errorf("%w: it is %s", image.ErrDigestMismatch, got)}
}

func noSuchAlgorithm(algo digest.Algorithm) error {
	return &image.Error{Op: "commit", Err: fmt.Errorf("%w: digests of kind %q are not supported", image.ErrInvalid, algo)}
}

func (u *upload) rehash(ctx context.Context, algo digest.Algorithm) (digest.Digest, error) {
	if !algo.Available() {
		return "", noSuchAlgorithm(algo)
	}
	id := u.on.opts.id
	r, err := u.store.get(ctx, id)
	if err != nil {
		return "", err
	}
	if r.hashAlgo == algo.String() {
		return digest.NewDigestFromEncoded(algo, r.hashValue), nil
	}
	body, err := u.store.open(ctx, id, image.Range{})
	if err != nil {
		return "", err
	}
	defer body.Close()
	got, err := algo.FromReader(body)
	return got, wrap("commit", id, err)
}
