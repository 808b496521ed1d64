package main

import (
	"context"
	"fmt"
	"time"

	"github.com/moset/moset/bench/figure"
)

// shape is a kind of image.
type shape struct {
	name     string
	layers   int
	size     int64 // bytes of each layer
	push     float64
	pull     float64
	besideL  float64 // of a pull, beside docker load
	perRound int
}

var (
	oneLayer   = shape{name: "1x200MiB", layers: 1, size: 200 << 20, push: 1.15, pull: 1.15, besideL: 1.4, perRound: 1}
	manyLayers = shape{name: "20x10MiB", layers: 20, size: 10 << 20, push: 1.25, pull: 1.15, besideL: 1.4, perRound: 1}
	smallImage = shape{name: "16KiB", layers: 1, size: 16 << 10, push: 4, pull: 1.3, perRound: 4}
)

// benchOne measures push and pull of a large image that nobody has, of one layer.
func benchOne(ctx context.Context, b *bench, ours *contender) ([]figure.Figure, error) {
	return b.shapeFigures(ctx, ours, oneLayer)
}

// benchMany measures the same of an image of many layers.
func benchMany(ctx context.Context, b *bench, ours *contender) ([]figure.Figure, error) {
	return b.shapeFigures(ctx, ours, manyLayers)
}

// benchSmall measures push and pull of an image so small that only the requests count.
func benchSmall(ctx context.Context, b *bench, ours *contender) ([]figure.Figure, error) {
	return b.shapeFigures(ctx, ours, smallImage)
}

func (b *bench) shapeFigures(ctx context.Context, ours *contender, sh shape) ([]figure.Figure, error) {
	s := samples{}
	err := b.inTurn(ctx, ours, func(c *contender, round int) error {
		for i := range sh.perRound {
			if err := b.pushAndPull(ctx, c, sh, fmt.Sprintf("%s-%d-%d", b.stem, round, i), keep(s, round)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sh.name, err)
	}
	push, pull := "push-"+sh.name, "pull-"+sh.name
	figures := []figure.Figure{
		b.compare(s, push, ours.name, peerName, push, sh.push),
		b.compare(s, pull, ours.name, peerName, pull, sh.pull),
	}
	if sh.besideL > 0 {
		figures = append(figures, b.compare(s, pull, ours.name, loadName, "load", sh.besideL))
	}
	return figures, nil
}

// pushAndPull makes an image, has the engine load and push it, removes it there, and pulls it.
func (b *bench) pushAndPull(ctx context.Context, c *contender, sh shape, repo string, add func(what, who string, took time.Duration)) error {
	layers, err := newLayers(sh.layers, sh.size)
	if err != nil {
		return err
	}
	name := c.image(repo)
	took, err := b.loadNew(ctx, name, layers)
	if err != nil {
		return err
	}
	add("load", loadName, took)
	if took, err = b.engine.push(ctx, name, c.auth()); err != nil {
		return fmt.Errorf("push to %s: %w", c.name, err)
	}
	add("push-"+sh.name, c.name, took)
	if err := b.engine.remove(ctx, name); err != nil {
		return err
	}
	if took, err = b.engine.pull(ctx, name, c.auth(), sh.layers); err != nil {
		return fmt.Errorf("pull from %s: %w", c.name, err)
	}
	add("pull-"+sh.name, c.name, took)
	if err := b.engine.remove(ctx, name); err != nil {
		return err
	}
	return c.forget(ctx, repo)
}

// loadNew writes an archive and loads it.
func (b *bench) loadNew(ctx context.Context, name string, layers []layer) (time.Duration, error) {
	file, _, err := writeArchive(b.dir, name, layers)
	if err != nil {
		return 0, err
	}
	return b.engine.load(ctx, file)
}

// inTurn runs one round more than is counted, each for ours and for the peer; who begins changes every time.
func (b *bench) inTurn(ctx context.Context, ours *contender, f func(c *contender, round int) error) error {
	order := []*contender{ours, b.peer}
	for round := range b.runs + 1 {
		for _, c := range order {
			if err := f(c, round); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		order[0], order[1] = order[1], order[0]
	}
	return nil
}

// keep adds the samples of all rounds but the first, which warms up.
func keep(s samples, round int) func(what, who string, took time.Duration) {
	return func(what, who string, took time.Duration) {
		if round > 0 {
			s.add(what, who, took)
		}
	}
}
