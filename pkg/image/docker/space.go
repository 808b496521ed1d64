package docker

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
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
