package docker

import (
	"context"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// chains remembers the layers of local images, which never change: only new images are looked at.
type chains struct {
	mu      sync.Mutex
	byImage map[string][]string // chain ids, bottom first, by image id
}

// known tells how many of the lowest layers of a chain the engine has.
func (c *chains) known(ctx context.Context, engine *client.Client, chain []string) (int, error) {
	list, err := engine.ImageList(ctx, dockerimage.ListOptions{All: true})
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make(map[string][]string, len(list))
	best := 0
	for _, i := range list {
		ids, ok := c.byImage[i.ID]
		if !ok {
			if ids, err = chainOf(ctx, engine, i.ID); err != nil {
				return 0, err
			}
		}
		now[i.ID] = ids
		best = max(best, common(ids, chain))
	}
	c.byImage = now
	return best, nil
}

// chainOf reads the chain of one image; one that vanished meanwhile has none.
func chainOf(ctx context.Context, engine *client.Client, id string) ([]string, error) {
	have, err := engine.ImageInspect(ctx, id)
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at image %s: %w", id, err)
	}
	diffs := make([]digest.Digest, len(have.RootFS.Layers))
	for i, l := range have.RootFS.Layers {
		diffs[i] = digest.Digest(l)
	}
	return image.ChainIDs(diffs), nil
}

// common is how many leading ids two chains share. A chain id stands for all layers below it too.
func common(a, b []string) int {
	for n := min(len(a), len(b)); n > 0; n-- {
		if a[n-1] == b[n-1] {
			return n
		}
	}
	return 0
}
