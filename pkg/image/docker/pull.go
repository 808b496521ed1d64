package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/containerd/errdefs"
	dockerimage "github.com/docker/docker/api/types/image"

	"github.com/moset/moset/pkg/image"
)

// pull is one transfer that several callers may wait for.
type pull struct {
	done   chan struct{}
	cancel context.CancelFunc
	id     string
	err    error

	waiting  int // callers; the last one to leave ends the transfer
	progress map[int]func(done, total int64)
	next     int
}

// Pull makes sure that the image is on the host and returns its local id. progress, if not nil, gets the
// bytes so far and in all, as far as the engine tells. Errors: image.ErrNotFound, image.ErrUnauthorized,
// image.ErrDenied, image.ErrUnavailable, ErrNoSpace.
func (c *Client) Pull(ctx context.Context, r Request, progress func(done, total int64)) (string, error) {
	ref := c.reference(r)
	if err := c.mayRead(ctx, r); err != nil {
		return "", c.translate("pull", ref, err)
	}
	id, err := c.local(ctx, ref)
	if err != nil || id != "" {
		return id, c.translate("pull", ref, err)
	}
	p, leave := c.join(ctx, r, progress)
	defer leave()
	select {
	case <-p.done:
		return p.id, c.translate("pull", ref, p.err)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// local returns the id of an image that is on the host, "" when it is not.
func (c *Client) local(ctx context.Context, ref string) (string, error) {
	have, err := c.docker.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return "", nil
	}
	return have.ID, err
}

// mayRead asks the registry whether the token may read the manifest.
func (c *Client) mayRead(ctx context.Context, r Request) error {
	what := r.Digest
	if what == "" {
		what = r.Tag
	}
	url := fmt.Sprintf("%s://%s/v2/%s/manifests/%s", c.cfg.Scheme, c.cfg.Registry, r.Repository, what)
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", image.ErrInvalid, err)
	}
	for _, t := range manifestTypes {
		req.Header.Add("Accept", t)
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	resp, err := c.cfg.HTTP.Do(req)
	if err != nil {
		return &image.Error{Op: "pull", ID: c.reference(r), Err: fmt.Errorf("%w: the registry %s does not answer: %w", image.ErrUnavailable, c.cfg.Registry, err)}
	}
	defer resp.Body.Close()
	kinds := map[int]error{http.StatusNotFound: image.ErrNotFound, http.StatusUnauthorized: image.ErrUnauthorized, http.StatusForbidden: image.ErrDenied}
	if resp.StatusCode < 300 {
		return nil
	}
	kind, ok := kinds[resp.StatusCode]
	if !ok {
		kind = image.ErrUnavailable
	}
	return &image.Error{Op: "pull", ID: c.reference(r), Err: fmt.Errorf("%w: the registry answered %d", kind, resp.StatusCode)}
}

var manifestTypes = []string{
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
}

// join takes part in the transfer of an image, or starts it.
func (c *Client) join(ctx context.Context, r Request, progress func(done, total int64)) (p *pull, leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := c.reference(r)
	p, ok := c.pulls[key]
	if !ok {
		work, cancel := context.WithCancel(context.WithoutCancel(ctx))
		p = &pull{done: make(chan struct{}), cancel: cancel, progress: map[int]func(done, total int64){}}
		c.pulls[key] = p
		go c.transfer(work, key, r, p)
	}
	n := p.next
	p.next++
	p.waiting++
	if progress != nil {
		p.progress[n] = progress
	}
	return p, func() { c.leave(p, n) }
}

func (c *Client) leave(p *pull, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(p.progress, n)
	if p.waiting--; p.waiting == 0 {
		p.cancel()
	}
}

// transfer pulls, with retries of what may pass.
func (c *Client) transfer(ctx context.Context, key string, r Request, p *pull) {
	wait := c.cfg.Backoff
	for try := 0; ; try++ {
		p.err = c.pullOnce(ctx, r, p)
		if p.err == nil || try == c.cfg.Retries || ctx.Err() != nil || !errors.Is(p.err, image.ErrUnavailable) {
			break
		}
		c.cfg.Logger.Warn("a pull broke off, will try again", "image", key, "error", p.err)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait *= 2
	}
	if p.err == nil {
		p.id, p.err = c.local(ctx, key)
		if p.err == nil && p.id == "" {
			p.err = &image.Error{Op: "pull", ID: key, Err: fmt.Errorf("%w: it vanished right after the pull", image.ErrUnavailable)}
		}
	}
	c.mu.Lock()
	delete(c.pulls, key)
	c.mu.Unlock()
	p.cancel()
	close(p.done)
}

func (c *Client) pullOnce(ctx context.Context, r Request, p *pull) error {
	stream, err := c.docker.ImagePull(ctx, c.reference(r), dockerimage.PullOptions{RegistryAuth: auth(r.Token)})
	if err != nil {
		return c.translate("pull", c.reference(r), err)
	}
	defer stream.Close()
	err = follow(stream, func(done, total int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, tell := range p.progress {
			tell(done, total)
		}
	})
	return c.translate("pull", c.reference(r), err)
}
