package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/pkg/set"
)

// The requests of the POST figure: so many, from so many callers at once. The first ones are not counted.
const (
	acceptRequests = 500
	acceptWarm     = 20
	acceptCallers  = 4
)

// benchAccept measures how long the region takes from a POST to its 202: token and images checked, host,
// address and name reserved, everything on disk. The servers are to be stopped, so that the host, which
// takes each of them over meanwhile, makes no containers.
func benchAccept(ctx context.Context, l *lab) ([]figure.Figure, error) {
	c, err := l.cloud(ctx)
	if err != nil {
		return nil, err
	}
	one, err := c.createOne(ctx, "bench-accept") // brings the images to the host
	if err != nil {
		return nil, err
	}
	l.detail("the first set was reachable after %v", one.reachable)
	samples, err := c.acceptAll(ctx)
	if err != nil {
		return nil, err
	}
	l.note("%d POSTs by %d callers: p50 %v, p90 %v, p99 %v, max %v", len(samples), acceptCallers,
		samples.Median(), samples.Percentile(90), samples.Percentile(99), samples.Max())
	return []figure.Figure{{Name: "post-to-202-p99", Unit: "ms", Ours: figure.Milliseconds(samples.Percentile(99)), Goal: figure.Goal{Bound: 50}}}, nil
}

// acceptAll posts all requests and removes what they made.
func (c *cloud) acceptAll(ctx context.Context) (figure.Samples, error) {
	samples := make(figure.Samples, acceptWarm+acceptRequests)
	ids := make([]string, len(samples))
	errs := make([]error, acceptCallers)
	var callers sync.WaitGroup
	for caller := range acceptCallers {
		callers.Go(func() {
			for i := caller; i < len(samples) && errs[caller] == nil; i += acceptCallers {
				samples[i], ids[i], errs[caller] = c.acceptOne(ctx, i)
			}
		})
	}
	callers.Wait()
	var made []string
	for _, id := range ids {
		if id != "" {
			made = append(made, id)
		}
	}
	return samples[acceptWarm:], errors.Join(errors.Join(errs...), c.remove(context.WithoutCancel(ctx), made...))
}

func (c *cloud) acceptOne(ctx context.Context, n int) (took time.Duration, id string, err error) {
	req := request(fmt.Sprintf("bench-accept-%d", n))
	req.Desired = set.DesiredStopped
	begun := time.Now()
	task, err := c.servers.Create(ctx, req)
	return time.Since(begun), task.ServerID, err
}
