package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/moset/moset/pkg/image"
)

// ErrNoSpace: the host's disk is full. Trying again does not help until somebody makes room.
var ErrNoSpace = errors.New("the host has no disk space for the image")

// A sign is what an error of the engine contains when it is of a kind: the engine passes errors of the
// registry and of the network on as text only. The first that fits decides.
type sign struct {
	text string // in lower case
	kind error
}

// errLayerGone is an image whose manifest is there and whose layer is not.
var errLayerGone = fmt.Errorf("%w: the registry lacks a layer or the config of it: push the image again", image.ErrNotFound)

var signs = []sign{
	{"no space left on device", ErrNoSpace},
	{"server gave http response to https client", image.ErrUnavailable},
	{"no such host", image.ErrUnavailable},
	{"connection refused", image.ErrUnavailable},
	{"timeout", image.ErrUnavailable},
	{"manifest unknown", image.ErrNotFound},
	{"unknown blob", errLayerGone},
	{"blob unknown", errLayerGone},
	{"name unknown", image.ErrNotFound},
	{"not found", image.ErrNotFound},
	{"unauthorized", image.ErrUnauthorized},
	{"authentication required", image.ErrUnauthorized},
	{"no basic auth credentials", image.ErrUnauthorized},
	{"denied", image.ErrDenied},
	{"invalid reference format", image.ErrInvalid},
}

// translate gives the engine's errors image's sentinels.
func (c *Client) translate(op, id string, err error) error {
	var known *image.Error
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, &known) {
		return err
	}
	return &image.Error{Op: op, ID: id, Err: c.kind(err)}
}

func (c *Client) kind(err error) error {
	for _, sentinel := range []error{image.ErrNotFound, image.ErrInvalid, image.ErrUnauthorized, image.ErrDenied, image.ErrUnavailable} {
		if errors.Is(err, sentinel) {
			return err
		}
	}
	text := strings.TrimPrefix(err.Error(), "Error response from daemon: ")
	lower := strings.ToLower(text)
	switch {
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: Docker does not answer at %s: start it, or set the Docker address to one that runs", image.ErrUnavailable, c.cfg.Host)
	case strings.Contains(lower, "no such image"):
		return fmt.Errorf("%w: the engine has no image of that name (docker images lists those it has)", image.ErrNotFound)
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%w: %s", image.ErrNotFound, text)
	}
	for _, s := range signs {
		if strings.Contains(lower, s.text) {
			return fmt.Errorf("%w: %s", s.kind, text)
		}
	}
	return fmt.Errorf("%w: %w", image.ErrUnavailable, err)
}
