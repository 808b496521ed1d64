package agent

import (
	"context"

	"github.com/moset/moset/pkg/image"
	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
)

// warmer is the set.Prefetcher of a host.
type warmer struct{ puller *imagedocker.Client }

var _ set.Prefetcher = host{}

// Prefetch implements set.Prefetcher.
func (w warmer) Prefetch(ctx context.Context, p set.Prefetch) (set.Prefetched, error) {
	ref, err := image.ParseRef(p.Image.Ref, "")
	if err != nil {
		return set.Prefetched{}, imageErrors.Translate(err)
	}
	req := imagedocker.Request{Repository: ref.Repo, Digest: p.Image.Digest, Token: p.PullToken.Reveal()}
	missing, err := w.puller.Missing(ctx, req)
	if err == nil && !p.DryRun { // an image whose layers are all there may still lack its name for them
		_, err = w.puller.Pull(ctx, req, nil)
	}
	return set.Prefetched{Bytes: set.Bytes(missing.Bytes)}, imageErrors.Translate(err)
}

// Layers implements set.Prefetcher.
func (w warmer) Layers(ctx context.Context) ([]string, error) {
	list, err := w.puller.Layers(ctx)
	return list, imageErrors.Translate(err)
}
