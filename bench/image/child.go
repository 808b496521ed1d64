package main

import (
	"context"
	"fmt"
	"time"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/pkg/image/docker"
)

// The child: one small layer on an image that registry and engine have already.
const (
	childSize  = 1 << 20 // bytes of its own layer
	againTimes = 3       // pushes of what is there already, each round
)

// childRun is one round of one registry.
type childRun struct {
	b        *bench
	c        *contender
	add      func(what, who string, took time.Duration)
	own      layer
	up, down figure.Samples // bytes moved, as if they were times
}

// benchChild measures push, pull and partial load of a child, the bytes it moves, and a push of what is there.
func benchChild(ctx context.Context, b *bench, ours *contender) ([]figure.Figure, error) {
	s := samples{}
	var bytesUp, bytesDown figure.Samples
	var own layer
	err := b.inTurn(ctx, ours, func(c *contender, round int) error {
		r := &childRun{b: b, c: c, add: keep(s, round)}
		if err := r.run(ctx, fmt.Sprintf("%s-child-%d", b.stem, round)); err != nil {
			return err
		}
		bytesUp, bytesDown, own = append(bytesUp, r.up...), append(bytesDown, r.down...), r.own
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("child: %w", err)
	}
	moved := func(name string, n figure.Samples) figure.Figure {
		return figure.Figure{Name: name + "-" + ours.name, Unit: "B", Ours: float64(n.Max()), Peer: "new-layer", Their: float64(own.tarSize()), Goal: figure.Goal{Bound: 1.01}}
	}
	return []figure.Figure{
		b.compare(s, "push-child", ours.name, peerName, "push-child", 2.5),
		b.compare(s, "pull-child", ours.name, peerName, "pull-child", 1),
		b.compare(s, "push-again", ours.name, peerName, "push-again", 2),
		b.compare(s, "partial-load-child", ours.name, loadName, "load-child", 0.25),
		moved("push-child-bytes", bytesUp), moved("pull-child-bytes", bytesDown),
	}, nil
}

// run pushes a base, pushes it again, and does with a child of it all that is measured.
func (r *childRun) run(ctx context.Context, repo string) error {
	base, err := newLayers(20, 10<<20)
	if err != nil {
		return err
	}
	if r.own, err = newLayer(childSize); err != nil {
		return err
	}
	name := r.c.image(repo)
	if _, err := r.b.loadNew(ctx, name, base); err != nil {
		return err
	}
	for i := range againTimes + 1 {
		took, err := r.b.engine.push(ctx, name, r.c.auth())
		if err != nil {
			return fmt.Errorf("push to %s: %w", r.c.name, err)
		}
		if i > 0 {
			r.add("push-again", r.c.name, took)
		}
	}
	if err := r.child(ctx, repo+"-of", append(base, r.own)); err != nil {
		return err
	}
	if err := r.b.engine.remove(ctx, name); err != nil {
		return err
	}
	return r.c.forget(ctx, repo)
}

func (r *childRun) child(ctx context.Context, repo string, layers []layer) error {
	name := r.c.image(repo)
	took, err := r.b.loadNew(ctx, name, layers)
	if err != nil {
		return err
	}
	r.add("load-child", loadName, took)
	r.count(nil, nil)
	if took, err = r.b.engine.push(ctx, name, r.c.auth()); err != nil {
		return fmt.Errorf("push to %s: %w", r.c.name, err)
	}
	r.count(&r.up, nil)
	r.add("push-child", r.c.name, took)
	if err := r.b.engine.remove(ctx, name); err != nil {
		return err
	}
	if took, err = r.b.engine.pull(ctx, name, r.c.auth(), 1); err != nil {
		return fmt.Errorf("pull from %s: %w", r.c.name, err)
	}
	r.count(nil, &r.down)
	r.add("pull-child", r.c.name, took)
	if err := r.b.engine.remove(ctx, name); err != nil {
		return err
	}
	if r.c.meter == nil {
		return nil
	}
	if err := r.partialLoad(ctx, repo); err != nil {
		return err
	}
	return r.c.forget(ctx, repo)
}

// count reads the meter into what is wanted.
func (r *childRun) count(up, down *figure.Samples) {
	if r.c.meter == nil {
		return
	}
	in, out := r.c.meter.reset()
	if up != nil {
		*up = append(*up, time.Duration(in))
	}
	if down != nil {
		*down = append(*down, time.Duration(out))
	}
}

// partialLoad brings the child to the engine by moset's other path: an archive with the one layer that is missing.
func (r *childRun) partialLoad(ctx context.Context, repo string) error {
	host := r.b.engine.docker.DaemonHost()
	c, err := docker.New(docker.Config{Host: host, Registry: r.c.host, Transfer: docker.TransferLoad, Logger: r.b.logger})
	if err != nil {
		return err
	}
	defer c.Close()
	begun := time.Now()
	id, err := c.Pull(ctx, docker.Request{Repository: r.c.repos + "/" + repo, Tag: "v1", Token: r.c.token}, nil)
	if err != nil {
		return err
	}
	r.add("partial-load-child", r.c.name, time.Since(begun))
	return r.b.engine.remove(ctx, id)
}
