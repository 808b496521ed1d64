package controller

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/moset/moset/internal/errkind"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/set"
)

// GlanceImages is the ImageResolver on Glance: what the caller's token sees is there, the rest is not.
type GlanceImages struct {
	Endpoint  string            // of Glance
	Transport http.RoundTripper // nil means http.DefaultTransport
	Logger    *slog.Logger
	cache     glance.Cache
	layers    layerMemory
}

var _ ImageResolver = (*GlanceImages)(nil)

var imageErrors = errkind.Map{
	{From: image.ErrNotFound, To: set.ErrNotFound},
	{From: image.ErrInvalid, To: set.ErrInvalid},
	{From: image.ErrUnauthorized, To: set.ErrUnauthenticated},
	{From: image.ErrDenied, To: set.ErrForbidden},
	{From: image.ErrUnavailable, To: set.ErrUnavailable},
}

// Resolve implements ImageResolver.
func (g *GlanceImages) Resolve(ctx context.Context, text string, c Caller) (set.Image, error) {
	ref, err := image.ParseRef(text, c.ProjectName)
	if err != nil {
		return set.Image{}, imageErrors.Translate(err)
	}
	store, err := glance.New(glance.Config{Endpoint: g.Endpoint, Token: c.Token.Reveal(), ProjectID: c.ProjectID, Project: c.ProjectName,
		Transport: g.Transport, Cache: &g.cache, Log: g.Logger})
	if err != nil {
		return set.Image{}, imageErrors.Translate(err)
	}
	img, err := store.Resolve(ctx, ref)
	if err != nil {
		return set.Image{}, imageErrors.Translate(err)
	}
	if len(img.Layers) == 0 {
		return set.Image{}, fmt.Errorf("%w: %s has no layers to run", set.ErrInvalid, ref)
	}
	g.layers.learn(img)
	return set.Image{Ref: ref.String(), Digest: img.Digest.String(), Size: set.Bytes(img.Size)}, nil
}
