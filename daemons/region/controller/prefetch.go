package controller

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/moset/moset/pkg/set"
)

const (
	prefetchAtOnce = 16               // hosts that one call has at work
	prefetchLimit  = 30 * time.Minute // of one host
)

// PrefetchRequest asks for an image on hosts before servers need it.
type PrefetchRequest struct {
	Image  string   `json:"image"`
	Hosts  []string `json:"hosts,omitempty"`   // none: all that are ready
	DryRun bool     `json:"dry_run,omitempty"` // only tells what each host lacks
}

// PrefetchResult is what became of it on one host.
type PrefetchResult struct {
	Host  string    `json:"host"`
	Bytes set.Bytes `json:"bytes"`           // that the host lacked
	Error string    `json:"error,omitempty"` // one sentence
}

// Prefetch brings an image to hosts, several at a time, and returns when all have it or have failed: what a single
// host says is in its result. Errors: those of the image; set.ErrNotFound for a host that never reported.
func (c *Controller) Prefetch(ctx context.Context, caller Caller, r PrefetchRequest) (set.Image, []PrefetchResult, error) {
	img, err := c.cfg.Images.Resolve(ctx, r.Image, caller)
	if err != nil {
		return img, nil, wrap("prefetch", r.Image, err)
	}
	names, err := c.prefetchHosts(r.Hosts)
	if err != nil {
		return img, nil, wrap("prefetch", r.Image, err)
	}
	results := make([]PrefetchResult, len(names))
	slots := make(chan struct{}, prefetchAtOnce)
	var all sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			results[i] = c.prefetchOn(ctx, name, set.Prefetch{Image: img, DryRun: r.DryRun, PullToken: caller.Token})
		})
	}
	all.Wait()
	return img, results, ctx.Err()
}

// prefetchHosts are the names asked for, each once, or all ready hosts.
func (c *Controller) prefetchHosts(names []string) ([]string, error) {
	if len(names) == 0 {
		for _, h := range c.Hosts() {
			if h.Ready {
				names = append(names, h.Name)
			}
		}
		return names, nil
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		if c.hosts[name] == nil {
			return nil, fmt.Errorf("%w: no host %q has reported: moset host list shows them", set.ErrNotFound, name)
		}
	}
	return names, nil
}

func (c *Controller) prefetchOn(ctx context.Context, name string, p set.Prefetch) PrefetchResult {
	r := PrefetchResult{Host: name}
	a, err := c.agent(name)
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, prefetchLimit)
		defer cancel()
		var done set.Prefetched
		if done, err = prefetcher(a).Prefetch(limited, p); err == nil {
			r.Bytes = done.Bytes
		}
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// prefetcher is the ability of an agent, or one that says that it has none.
func prefetcher(a set.Agent) set.Prefetcher {
	if g, ok := a.(guarded); ok {
		a = g.Agent
	}
	if p, ok := a.(set.Prefetcher); ok {
		return p
	}
	return noPrefetcher{}
}

type noPrefetcher struct{}

var errNoPrefetch = fmt.Errorf("%w: the host cannot fetch images ahead", set.ErrInvalid)

// Prefetch implements set.Prefetcher.
func (noPrefetcher) Prefetch(context.Context, set.Prefetch) (set.Prefetched, error) {
	return set.Prefetched{}, errNoPrefetch
}

// Layers implements set.Prefetcher.
func (noPrefetcher) Layers(context.Context) ([]string, error) { return nil, errNoPrefetch }
