package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/moset/moset/internal/errkind"
	"github.com/moset/moset/pkg/image"
	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
)

// TokenSource gives the host's own Keystone token, for pulls after the creator's token is gone.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// puller is what images needs of pkg/image/docker.
type puller interface {
	Pull(ctx context.Context, req imagedocker.Request, progress func(imagedocker.Event)) (string, error)
}

// images is the set.Images of a host: Docker pulls by digest from the registry.
type images struct {
	puller puller
	own    TokenSource // may be nil
}

var _ set.Images = images{}

var imageErrors = errkind.Map{
	{From: image.ErrNotFound, To: set.ErrNotFound},
	{From: image.ErrInvalid, To: set.ErrInvalid},
	{From: image.ErrUnauthorized, To: set.ErrUnauthenticated},
	{From: image.ErrDenied, To: set.ErrForbidden},
	{From: image.ErrUnavailable, To: set.ErrUnavailable},
	{From: imagedocker.ErrNoSpace, To: set.ErrUnavailable},
}

// Ensure implements set.Images. The creator's token counts first; when it is gone, after a restart of region
// or host, or has ended since the create was accepted, the host's own does.
func (i images) Ensure(ctx context.Context, req set.ImageRequest, progress func(done, total int64)) (string, error) {
	ref, err := image.ParseRef(req.Ref, "")
	if err != nil {
		return "", imageErrors.Translate(err)
	}
	pull := imagedocker.Request{Repository: ref.Repo, Digest: req.Digest, Token: req.Token.Reveal()}
	if pull.Token != "" || i.own == nil {
		id, err := i.puller.Pull(ctx, pull, bytesOf(progress))
		if i.own == nil || !errors.Is(err, image.ErrUnauthorized) {
			return id, imageErrors.Translate(err)
		}
	}
	if pull.Token, err = i.own.Token(ctx); err != nil {
		return "", fmt.Errorf("%w: the host's own token: %w", set.ErrUnavailable, err)
	}
	id, err := i.puller.Pull(ctx, pull, bytesOf(progress))
	return id, imageErrors.Translate(err)
}

// bytesOf keeps of a pull's events what a task's step shows.
func bytesOf(progress func(done, total int64)) func(imagedocker.Event) {
	if progress == nil {
		return nil
	}
	return func(e imagedocker.Event) {
		if e.AllTotal > 0 {
			progress(e.AllDone, e.AllTotal)
		}
	}
}
