package image

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"
)

// parallel bounds how many questions one call asks a store at once.
const parallel = 8

// Opener is the one method ReadBlob needs.
type Opener interface {
	Open(ctx context.Context, repo string, d digest.Digest, r Range) (io.ReadCloser, error)
}

// ReadBlob reads a small blob whole and checks its digest. Errors: ErrNotFound, ErrDigestMismatch; more than
// MaxManifest bytes are ErrInvalid.
func ReadBlob(ctx context.Context, s Opener, repo string, d digest.Digest) ([]byte, error) {
	r, err := s.Open(ctx, repo, d, Range{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, MaxManifest+1))
	switch {
	case err != nil:
		return nil, &Error{Op: "read blob", ID: d.String(), Err: fmt.Errorf("%w: %w", ErrUnavailable, err)}
	case len(b) > MaxManifest:
		return nil, &Error{Op: "read blob", ID: d.String(), Err: fmt.Errorf("%w: it is larger than %d bytes", ErrInvalid, MaxManifest)}
	case d.Algorithm().FromBytes(b) != d:
		return nil, &Error{Op: "read blob", ID: d.String(), Err: ErrDigestMismatch}
	}
	return b, nil
}

// Stater is the one method Missing needs.
type Stater interface {
	Stat(ctx context.Context, repo string, d digest.Digest) (Blob, error)
}

// Missing asks for many blobs at once and returns, in their order, those the project does not have.
func Missing(ctx context.Context, s Stater, repo string, ds []digest.Digest) ([]digest.Digest, error) {
	absent, err := ask(len(ds), func(i int) error {
		_, err := s.Stat(ctx, repo, ds[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	var missing []digest.Digest
	for i, gone := range absent {
		if gone {
			missing = append(missing, ds[i])
		}
	}
	return missing, nil
}

// Exists says for each reference whether the caller can see it. References are asked for in parallel.
func Exists(ctx context.Context, s Manifests, refs []Ref) ([]bool, error) {
	absent, err := ask(len(refs), func(i int) error {
		_, err := s.Manifest(ctx, refs[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range absent {
		absent[i] = !absent[i]
	}
	return absent, nil
}

// ask calls f for 0..n-1 in parallel and reports which of them were not found; any other error ends it.
func ask(n int, f func(i int) error) ([]bool, error) {
	absent, errs := make([]bool, n), make([]error, n)
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			absent[i], errs[i] = notFound(f(i))
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return absent, nil
}
