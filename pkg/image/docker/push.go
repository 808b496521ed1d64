package docker

import (
	"context"

	dockerimage "github.com/docker/docker/api/types/image"
)

// Push has the engine push a local image to the registry under r.Repository and r.Tag. The name the engine
// needs for that is taken away again. Errors as of Pull.
func (c *Client) Push(ctx context.Context, local string, r Request, progress func(done, total int64)) error {
	ref := c.reference(Request{Repository: r.Repository, Tag: r.Tag})
	had, err := c.local(ctx, ref)
	if err != nil {
		return c.translate("push", local, err)
	}
	if err := c.docker.ImageTag(ctx, local, ref); err != nil {
		return c.translate("push", local, err)
	}
	if had == "" {
		defer func() {
			_, _ = c.docker.ImageRemove(context.WithoutCancel(ctx), ref, dockerimage.RemoveOptions{}) // a name more is no harm
		}()
	}
	stream, err := c.docker.ImagePush(ctx, ref, dockerimage.PushOptions{RegistryAuth: auth(r.Token)})
	if err != nil {
		return c.translate("push", ref, err)
	}
	defer stream.Close()
	if progress == nil {
		progress = func(int64, int64) {}
	}
	return c.translate("push", ref, follow(stream, progress))
}

// Tag gives an image of the host another name there.
func (c *Client) Tag(ctx context.Context, id, name string) error {
	return c.translate("tag", name, c.docker.ImageTag(ctx, id, name))
}
