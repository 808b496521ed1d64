package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/moset/moset/pkg/image"
)

// stallLimit ends a download that brings nothing for so long.
const stallLimit = time.Minute

var manifestTypes = []string{v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, image.MediaTypeDockerManifest, image.MediaTypeDockerIndex}

// ask sends one request to the registry with the caller's token and returns an answer below 300.
func (c *Client) ask(ctx context.Context, method, path, token string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.Scheme+"://"+c.cfg.Registry+"/v2/"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", image.ErrInvalid, err)
	}
	req.Header["Accept"] = slices.Concat(manifestTypes, []string{"*/*"})
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: the registry %s does not answer: %w", image.ErrUnavailable, c.cfg.Registry, err)
	}
	if resp.StatusCode >= 300 {
		resp.Body.Close()
		return nil, fmt.Errorf("%w: the registry answered %d", kindOf(resp.StatusCode), resp.StatusCode)
	}
	return resp, nil
}

// mayRead asks the registry whether the token may read the manifest.
func (c *Client) mayRead(ctx context.Context, r Request) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	resp, err := c.ask(ctx, http.MethodHead, r.Repository+"/manifests/"+cmp.Or(r.Digest, r.Tag), r.Token)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// kindOf gives a status of the registry its sentinel.
func kindOf(status int) error {
	switch status {
	case http.StatusNotFound:
		return image.ErrNotFound
	case http.StatusUnauthorized:
		return image.ErrUnauthorized
	case http.StatusForbidden:
		return image.ErrDenied
	case http.StatusBadRequest:
		return image.ErrInvalid
	}
	return image.ErrUnavailable
}

// small reads a manifest or a config whole and checks its digest, if it is known.
func (c *Client) small(ctx context.Context, path, token string, want digest.Digest) (body []byte, mediaType string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	resp, err := c.ask(ctx, http.MethodGet, path, token)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, image.MaxManifest+1))
	if err != nil {
		return nil, "", fmt.Errorf("%w: the registry broke off: %w", image.ErrUnavailable, err)
	}
	if want != "" && want.Algorithm().FromBytes(body) != want {
		return nil, "", fmt.Errorf("%w: the registry sent other bytes than %s", image.ErrUnavailable, want)
	}
	return body, resp.Header.Get("Content-Type"), nil
}

// manifest of the image for the engine's platform.
func (c *Client) manifest(ctx context.Context, r Request, reference string) (image.Contents, error) {
	want := digest.Digest("")
	if reference == r.Digest {
		want = digest.Digest(reference)
	}
	body, mediaType, err := c.small(ctx, r.Repository+"/manifests/"+reference, r.Token, want)
	if err != nil {
		return image.Contents{}, err
	}
	contents, err := image.ParseManifest(mediaType, body)
	if err != nil || !contents.IsIndex() {
		return contents, err
	}
	version, err := c.docker.ServerVersion(ctx)
	if err != nil {
		return contents, err
	}
	for _, m := range contents.Manifests {
		if m.Platform != nil && m.Platform.OS == version.Os && m.Platform.Architecture == version.Arch {
			r.Digest = m.Digest.String()
			return c.manifest(ctx, r, r.Digest)
		}
	}
	return contents, fmt.Errorf("%w: the image has no part for %s/%s", image.ErrNotFound, version.Os, version.Arch)
}

// copyBlob writes a blob to w and checks size and digest on the way.
func (c *Client) copyBlob(ctx context.Context, w io.Writer, r Request, d v1.Descriptor, each func(n int64)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stalled := time.AfterFunc(stallLimit, func() {
		stop(fmt.Errorf("%w: the registry %s sent nothing for %s", image.ErrUnavailable, c.cfg.Registry, stallLimit))
	})
	defer stalled.Stop()
	resp, err := c.ask(ctx, http.MethodGet, r.Repository+"/blobs/"+d.Digest.String(), r.Token)
	if errors.Is(err, image.ErrNotFound) {
		return fmt.Errorf("%w: %s", errLayerGone, d.Digest)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	verifier := d.Digest.Verifier()
	progress := writerFunc(func(p []byte) (int, error) {
		stalled.Reset(stallLimit)
		each(int64(len(p)))
		return len(p), nil
	})
	n, err := io.Copy(io.MultiWriter(w, verifier, progress), io.LimitReader(resp.Body, d.Size+1))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%w: the download of layer %s broke off: %w", image.ErrUnavailable, d.Digest, err)
	case n != d.Size || !verifier.Verified():
		return fmt.Errorf("%w: the registry sent other bytes than layer %s", image.ErrUnavailable, d.Digest)
	}
	return nil
}

type writerFunc func(p []byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
