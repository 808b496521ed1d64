package docker

import (
	"context"
	"slices"

	dockerimage "github.com/docker/docker/api/types/image"

	"github.com/moset/moset/pkg/image"
)

// Push has the engine push a local image to the registry under r.Repository and r.Tag; progress is as in
// Pull. The name the engine needs for that is taken away again, or given
// back to the image that had it. Errors as of Pull.
func (c *Client) Push(ctx context.Context, local string, r Request, progress func(Event)) error {
	r.Digest = "" // a push is to a tag
	if err := r.check(); err != nil {
		return &image.Error{Op: "push", ID: local, Err: err}
	}
	ref := c.reference(r)
	undo, err := c.lend(ctx, local, ref)
	if err != nil {
		return c.translate("push", local, err)
	}
	defer undo()
	stream, err := c.docker.ImagePush(ctx, ref, dockerimage.PushOptions{RegistryAuth: auth(r.Token)})
	if err != nil {
		return c.translate("push", ref, err)
	}
	defer stream.Close()
	box := newMailbox(progress)
	defer box.close()
	if err := follow(stream, box.put); err != nil {
		return c.translate("push", ref, err)
	}
	box.put(Event{Kind: Complete})
	return nil
}

// lend gives a local image the name ref until undo. An image without any other name keeps it: taking away
// an image's last name deletes it.
func (c *Client) lend(ctx context.Context, local, ref string) (undo func(), err error) {
	have, err := c.docker.ImageInspect(ctx, local)
	if err != nil {
		return nil, err
	}
	before, err := c.local(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := c.docker.ImageTag(ctx, have.ID, ref); err != nil {
		return nil, err
	}
	later := context.WithoutCancel(ctx)
	switch {
	case before == have.ID, before == "" && !slices.ContainsFunc(have.RepoTags, func(tag string) bool { return tag != ref }):
		return func() {}, nil
	case before != "":
		return func() { _ = c.docker.ImageTag(later, before, ref) }, nil // best effort: the push itself is done
	}
	return func() { _, _ = c.docker.ImageRemove(later, ref, dockerimage.RemoveOptions{}) }, nil // a name more is no harm
}

// Tag gives an image of the host another name there.
func (c *Client) Tag(ctx context.Context, id, name string) error {
	return c.translate("tag", name, c.docker.ImageTag(ctx, id, name))
}
