package set

import "context"

// Prefetcher is an optional ability of an Agent, found by assertion: images before servers need them, as ahead of
// a peak.
type Prefetcher interface {
	// Prefetch brings an image to the host and returns when it is there; one that is there already costs one look.
	// Calls for the same image at once share the work. Errors: ErrNotFound, ErrForbidden, ErrUnauthenticated,
	// ErrInvalid, ErrUnavailable.
	Prefetch(ctx context.Context, p Prefetch) (Prefetched, error)
	// Layers lists the chain ids of the layers that the host holds, in hex, in no order. Errors: ErrUnavailable.
	Layers(ctx context.Context) ([]string, error)
}

// Prefetch says what to bring.
type Prefetch struct {
	Image     Image  `json:"image"` // Ref and Digest count
	DryRun    bool   `json:"dry_run,omitempty"`
	PullToken Secret `json:"pull_token,omitempty"` // Keystone token for the image
}

// Prefetched says what it took, or with DryRun would take.
type Prefetched struct {
	Bytes Bytes `json:"bytes"` // that the host lacked, compressed
}
