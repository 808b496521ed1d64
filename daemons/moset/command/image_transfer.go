package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/image"
	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
)

// transfer is one push or pull through the local Docker Engine.
type transfer struct {
	session *session
	engine  *imagedocker.Client
	request imagedocker.Request // all but what is moved
	show    func(imagedocker.Event)
}

// transfer runs do with the progress of each layer, then says what was moved.
func (a *app) transfer(c *cobra.Command, what, name, as string, do func(context.Context, transfer) error) error {
	s, err := a.session(c.Context())
	if err != nil {
		return err
	}
	ref, err := image.ParseRef(as, s.project)
	if err != nil {
		return imageErrors.Translate(err)
	}
	if what == "push" && ref.Tag == "" {
		return fmt.Errorf("%w: %s has no tag to push: give one with --as", set.ErrInvalid, as)
	}
	t, err := a.newTransfer(c.Context(), s, ref)
	if err != nil {
		return imageErrors.Translate(err)
	}
	defer t.engine.Close()
	p := newLayerProgress(newProgress(a.errOut), what+" "+name)
	t.show = p.tell
	err = do(c.Context(), t)
	p.end(err)
	if err != nil && c.Context().Err() != nil { // whatever broke off because of it
		err = context.Canceled
	}
	if err != nil {
		return imageErrors.Translate(err)
	}
	return a.moved(c, ref)
}

func (a *app) newTransfer(ctx context.Context, s *session, ref image.Ref) (transfer, error) {
	address, scheme, err := s.registry()
	if err != nil {
		return transfer{}, err
	}
	token, err := s.cloud.Token(ctx)
	if err != nil {
		return transfer{}, authErrors.Translate(err)
	}
	engine, err := imagedocker.New(imagedocker.Config{Host: a.dockerHost, Registry: address, Scheme: scheme, TLS: s.tls})
	return transfer{session: s, engine: engine,
		request: imagedocker.Request{Repository: ref.Repo, Tag: ref.Tag, Digest: ref.Digest.String(), Token: token}}, err
}

// moved prints the image as the cloud has it now: what can be given to docker, or to a set, for good.
func (a *app) moved(c *cobra.Command, ref image.Ref) error {
	return a.onImages(c, func(ctx context.Context, _ *session, store image.Store) error {
		img, err := store.Resolve(ctx, ref)
		if err != nil {
			return err
		}
		if a.structured() {
			return a.emit(map[string]any{"reference": ref.String(), "digest": img.Digest, "id": img.ID, "size": img.Size, "layers": len(img.Layers)})
		}
		fmt.Fprintf(a.out, "%s@%s\n", ref.Repo, img.Digest)
		return nil
	})
}

func (a *app) imagePush() *cobra.Command {
	var as string
	c := &cobra.Command{Use: "push IMAGE", Short: "Push an image of the local Docker Engine", Example: "  moset image push web:v1\n  moset image push nginx:1.25 --as demo/nginx:1.25", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions}
	c.Flags().StringVar(&as, "as", "", "name in the registry (default: the image's own, in your project)")
	c.RunE = func(c *cobra.Command, args []string) error {
		name := args[0]
		if as != "" {
			name = as
		}
		return a.transfer(c, "push", args[0], name, func(ctx context.Context, t transfer) error {
			return t.engine.Push(ctx, args[0], t.request, t.show)
		})
	}
	return c
}

func (a *app) imagePull() *cobra.Command {
	c := &cobra.Command{Use: "pull IMAGE", Short: "Pull an image to the local Docker Engine and give it its name there", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeImage}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.transfer(c, "pull", args[0], args[0], func(ctx context.Context, t transfer) error {
			id, err := t.engine.Pull(ctx, t.request, t.show)
			if err != nil || t.request.Tag == "" {
				return err
			}
			return t.engine.Tag(ctx, id, t.request.Repository+":"+t.request.Tag)
		})
	}
	return c
}
