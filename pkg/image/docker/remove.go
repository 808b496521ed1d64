package docker

import (
	"context"

	"github.com/containerd/errdefs"
	dockerimage "github.com/docker/docker/api/types/image"
)

// Remove takes a pulled image off the host, by the id that Pull gave or by a name. Nil when it is not there.
// An image that a container is made of stays: that is image.ErrUnavailable, for it can go later.
func (c *Client) Remove(ctx context.Context, image string) error {
	_, err := c.docker.ImageRemove(ctx, image, dockerimage.RemoveOptions{PruneChildren: true})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return c.translate("remove", image, err)
}
