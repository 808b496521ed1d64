package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
	best := 0
	err := c.each(ctx, engine, func(ids []string) { best = max(best, common(ids, chain)) })
	return best, err
}

// each shows the chain of every local image.
func (c *chains) each(ctx context.Context, engine *client.Client, show func(ids []string)) error {
	list, err := engine.ImageList(ctx, dockerimage.ListOptions{All: true})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make(map[string][]string, len(list))
	for _, i := range list {
		ids, ok := c.byImage[i.ID]
		if !ok {
			if ids, err = chainOf(ctx, engine, i.ID); err != nil {
				return err
			}
		}
		now[i.ID] = ids
		show(ids)
	}
	c.byImage = now
	return nil
}

// Layers lists the chain ids, in hex, of all layers that the engine holds. Errors as of Pull.
func (c *Client) Layers(ctx context.Context) ([]string, error) {
	seen := map[string]bool{}
	err := c.chains.each(ctx, c.docker, func(ids []string) {
		for _, id := range ids {
			seen[id] = true
		}
	})
	return slices.Collect(maps.Keys(seen)), c.translate("list layers", "", err)
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
