package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/pkg/set"
)

// The burst: so many sets in one request, so often; before and after each, lone sets to compare with.
const (
	burstSize   = 32
	burstRounds = 3
	loneRounds  = 3
)

// benchBurst measures when the last of many sets asked for at once is reachable, beside a lone one and
// beside as many by plain Docker calls.
func benchBurst(ctx context.Context, l *lab) ([]figure.Figure, error) {
	c, err := l.cloud(ctx)
	if err != nil {
		return nil, err
	}
	p, err := newPlain(ctx, c)
	if err != nil {
		return nil, err
	}
	var lone, worst, median, plain figure.Samples
	for round := range burstRounds + 1 {
		for i := range loneRounds {
			one, err := c.createOne(ctx, fmt.Sprintf("bench-lone-%d-%d", round, i))
			if err != nil {
				return nil, err
			}
			if round+i > 0 { // the very first pulls the images
				lone = append(lone, one.reachable)
			}
		}
		if round == burstRounds {
			break
		}
		all, err := c.createAtOnce(ctx, fmt.Sprintf("bench-burst-%d", round))
		if err != nil {
			return nil, err
		}
		l.detail("burst %d: worst %v, median %v", round, all.Max(), all.Median())
		docker, err := p.createAtOnce(ctx, burstSize, 4*runtime.NumCPU())
		if err != nil {
			return nil, fmt.Errorf("the peer: %w", err)
		}
		l.detail("burst %d of the peer: worst %v, median %v", round, docker.Max(), docker.Median())
		plain = append(plain, docker.Max())
		worst, median = append(worst, all.Max()), append(median, all.Median())
	}
	l.note("%d at once: the median set after %v, the worst after %v", burstSize, median.Median(), worst.Median())
	name := fmt.Sprintf("create-%d-at-once", burstSize)
	ours := figure.Milliseconds(worst.Median())
	return []figure.Figure{
		{Name: name + "-worst", Unit: "ms", Ours: ours, Peer: "lone", Their: figure.Milliseconds(lone.Median()), Goal: figure.Goal{Bound: 4}},
		{Name: name + "-beside-docker", Unit: "ms", Ours: ours, Peer: "docker", Their: figure.Milliseconds(plain.Median()), Goal: figure.Goal{Bound: 1}},
	}, nil
}

// createAtOnce makes the sets of one batch, measures each from the POST on, and removes them.
func (c *cloud) createAtOnce(ctx context.Context, stem string) (figure.Samples, error) {
	begun := time.Now()
	tasks, err := c.ask(ctx, stem)
	if err != nil {
		return nil, err
	}
	samples := make(figure.Samples, len(tasks))
	ids := make([]string, len(tasks))
	errs := make([]error, len(tasks))
	var all sync.WaitGroup
	for i, task := range tasks {
		ids[i] = task.ServerID
		all.Go(func() {
			seen := life{begun: begun}
			errs[i] = c.follow(ctx, task, &seen)
			samples[i] = seen.reachable
		})
	}
	all.Wait()
	return samples, errors.Join(errors.Join(errs...), c.remove(context.WithoutCancel(ctx), ids...))
}

// ask posts the batch.
func (c *cloud) ask(ctx context.Context, stem string) ([]set.Task, error) {
	batch, err := c.servers.CreateBatch(ctx, set.BatchRequest{CreateRequest: request(stem), Count: burstSize, AllOrNothing: true})
	if err != nil {
		return nil, err
	}
	var tasks []set.Task
	for _, item := range batch.Items {
		if item.Task == nil {
			return nil, fmt.Errorf("create %s: %s", item.Name, item.Fault.Message)
		}
		tasks = append(tasks, *item.Task)
	}
	return tasks, nil
}
