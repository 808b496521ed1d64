package docker

import (
	"context"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/moset/moset/pkg/image"
)

// Missing is what an engine lacks of an image.
type Missing struct {
	Layers []v1.Descriptor // as in the registry, bottom first
	Bytes  int64           // of them, compressed: what a pull moves
}

// Missing tells what a pull of an image would move. Errors as of Pull.
func (c *Client) Missing(ctx context.Context, r Request) (Missing, error) {
	if err := r.check(); err != nil {
		return Missing{}, &image.Error{Op: "look at", ID: r.Repository, Err: err}
	}
	var m Missing
	err := c.retry(ctx, c.reference(r), nil, func() (err error) {
		m, err = c.missing(ctx, r)
		return err
	})
	return m, c.translate("look at", c.reference(r), err)
}

func (c *Client) missing(ctx context.Context, r Request) (Missing, error) {
	a, err := c.lookUp(ctx, r)
	if err != nil {
		return Missing{}, err
	}
	if have, err := c.local(ctx, a.id()); err != nil || have != "" {
		return Missing{}, err
	}
	if a.have, err = c.chains.known(ctx, c.docker, a.chain); err != nil {
		return Missing{}, err
	}
	return a.missing(), nil
}

func (a archive) missing() Missing {
	m := Missing{Layers: a.layers[a.have:]}
	for _, d := range m.Layers {
		m.Bytes += d.Size
	}
	return m
}
