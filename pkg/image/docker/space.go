package docker

import (
	"context"
	"fmt"
	"os"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"

	"github.com/moset/moset/pkg/image"
)

// unpacked is how much room a layer takes at least while it is written, in its compressed sizes: the file that came
// and what is made of it.
const unpacked = 2

// freeSpace is what is free on a directory's file system for everybody, in bytes.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(s.Bavail) * s.Bsize, nil
}

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

// makeRoom refuses an image that the engine's disk cannot take. Where the disk cannot be looked at, because the
// engine is on another machine, the engine will find out by itself.
func (c *Client) makeRoom(ctx context.Context, m Missing) error {
	info, err := c.docker.Info(ctx)
	if err != nil || info.DockerRootDir == "" {
		return nil
	}
	free, err := c.cfg.FreeSpace(info.DockerRootDir)
	if err != nil || free >= unpacked*m.Bytes {
		return nil
	}
	return fmt.Errorf("%w: its missing layers need about %d MB, %s has %d MB free: make room, or take the host out of service",
		ErrNoSpace, unpacked*m.Bytes/1e6, info.DockerRootDir, free/1e6)
}
