package controller

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/set"
)

// learnLayers asks a host for the layers that it holds and tells the scheduler. Without an answer placement goes on
// as before: the layers only make a host better.
func (c *Controller) learnLayers(name string) {
	c.mu.Lock()
	l := c.hosts[name]
	c.mu.Unlock()
	if l == nil || l.get().HostReport.Layers == "" {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.cfg.HostCall)
	defer cancel()
	list, err := prefetcher(l.agent).Layers(ctx)
	if err != nil {
		return
	}
	layers := make(map[string]bool, len(list))
	for _, id := range list {
		layers[id] = true
	}
	c.hostRecords.Lock() // no heartbeat puts the host back in between
	defer c.hostRecords.Unlock()
	l.mu.Lock()
	l.host.layers = layers
	h := l.host
	l.mu.Unlock()
	_ = c.ledger.Put(schedHost(h)) // the same host as before, so it is valid
}

// layersOf are the layers of a server's images, as far as they are known.
func (c *Controller) layersOf(s set.Server) []sched.Layer {
	source, ok := c.cfg.Images.(interface {
		Layers(digest string) []sched.Layer
	})
	if !ok {
		return nil
	}
	var all []sched.Layer
	seen := map[string]bool{}
	for _, img := range s.Images {
		for _, l := range source.Layers(img.Digest) {
			if !seen[l.ID] {
				seen[l.ID] = true
				all = append(all, l)
			}
		}
	}
	slices.SortFunc(all, func(a, b sched.Layer) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// rememberImages is of how many images the layers are known.
const rememberImages = 4096

// layerMemory knows the layers of images that were resolved lately.
type layerMemory struct {
	mu       sync.Mutex
	byDigest map[string][]sched.Layer
}

func (m *layerMemory) learn(img image.Image) {
	layers := make([]sched.Layer, len(img.Layers))
	for i, l := range img.Layers {
		layers[i] = sched.Layer{ID: l.ID, Size: l.Size}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byDigest == nil || len(m.byDigest) >= rememberImages {
		m.byDigest = map[string][]sched.Layer{}
	}
	m.byDigest[img.Digest.String()] = layers
}

// Layers are those of an image that was resolved lately, by the digest of its manifest.
func (g *GlanceImages) Layers(digest string) []sched.Layer {
	g.layers.mu.Lock()
	defer g.layers.mu.Unlock()
	return g.layers.byDigest[digest]
}
