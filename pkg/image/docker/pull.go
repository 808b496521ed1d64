package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// pull is one transfer that several callers may wait for.
type pull struct {
	done   chan struct{} // closed when id and err are there
	cancel context.CancelFunc
	id     string
	err    error

	mu       sync.Mutex
	progress map[int]*mailbox // by caller
	next     int
}

// Pull makes sure that the image is on the host and returns its local id. progress, if not nil, is told of every
// layer, on a goroutine of its own, and has had the last event when Pull returns. Callers that want the same image
// at the same time share one transfer, each after the registry said that its own token may read it; the last one to
// give up ends it.
//
// The image gets no tag, so "docker image prune" takes it away once no container, running or not, is made
// of it; it is pulled again when needed. Errors: image.ErrNotFound, image.ErrUnauthorized, image.ErrDenied,
// image.ErrInvalid, image.ErrUnavailable, ErrNoSpace.
func (c *Client) Pull(ctx context.Context, r Request, progress func(Event)) (string, error) {
	if err := r.check(); err != nil {
		return "", &image.Error{Op: "pull", ID: r.Repository, Err: err}
	}
	box := newMailbox(progress)
	defer box.close()
	ref := c.reference(r)
	box.put(Event{Kind: Checking})
	if err := c.retry(ctx, ref, box.put, func() error { return c.mayRead(ctx, r) }); err != nil {
		return "", c.translate("pull", ref, err)
	}
	if r.Digest != "" { // what a tag stands for may have changed
		id, err := c.local(ctx, ref)
		if err != nil {
			return "", c.translate("pull", ref, err)
		}
		if id != "" {
			box.put(Event{Kind: Complete})
			return id, nil
		}
	}
	p, leave := c.join(ctx, r, box)
	defer leave()
	select {
	case <-p.done:
		return p.id, c.translate("pull", ref, p.err)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (r Request) check() error {
	if r.Digest == "" && r.Tag == "" {
		return fmt.Errorf("%w: a digest or a tag is needed", image.ErrInvalid)
	}
	if r.Digest != "" {
		if err := digest.Digest(r.Digest).Validate(); err != nil {
			return fmt.Errorf("%w: digest %.80q: %w", image.ErrInvalid, r.Digest, err)
		}
	}
	return image.CheckRepo(r.Repository)
}

// maxBackoff bounds the wait between two tries.
const maxBackoff = 30 * time.Second

// retry calls f until it succeeds, fails for good, or has had its tries; tell may be nil.
func (c *Client) retry(ctx context.Context, ref string, tell func(Event), f func() error) error {
	for try := 0; ; try++ {
		err := f()
		if err == nil || try == c.cfg.Retries || ctx.Err() != nil || !errors.Is(err, image.ErrUnavailable) {
			return err
		}
		wait := c.backoff(try)
		c.cfg.Logger.Warn("a pull broke off, will try again", "image", ref, "in", wait, "error", err)
		if tell != nil {
			tell(Event{Kind: Retrying, Attempt: try + 1, Wait: wait, Cause: err})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// backoff is the wait after a try, doubled each time up to a bound and spread by a quarter, so that the hosts that lost
// one registry do not come back to it at once.
func (c *Client) backoff(try int) time.Duration {
	wait := min(c.cfg.Backoff<<min(try, 16), maxBackoff)
	return wait*3/4 + rand.N(wait/2+1)
}

// local returns the id of an image that is on the host, "" when it is not.
func (c *Client) local(ctx context.Context, ref string) (string, error) {
	have, err := c.docker.ImageInspect(ctx, c.remembered(ref))
	if errdefs.IsNotFound(err) {
		return "", nil
	}
	return have.ID, err
}

// remember notes under which id the engine has what it did not pull itself; "" is none.
func (c *Client) remember(ref, id string) {
	if id == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded[ref] = id
}

func (c *Client) remembered(ref string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.loaded[ref], ref)
}

// join takes part in the transfer of an image, or starts it; leave ends that part.
func (c *Client) join(ctx context.Context, r Request, box *mailbox) (p *pull, leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := c.reference(r)
	p, ok := c.pulls[key]
	if !ok {
		work, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it outlives the caller that began it
		p = &pull{done: make(chan struct{}), cancel: cancel, progress: map[int]*mailbox{}}
		c.pulls[key] = p
		go c.transfer(work, key, r, p)
	}
	n := p.add(box)
	return p, func() { c.leave(key, p, n) }
}

// leave takes a caller out; the last one to go ends the transfer, and nobody joins it any more.
func (c *Client) leave(key string, p *pull, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.remove(n) > 0 {
		return
	}
	p.cancel()
	if c.pulls[key] == p {
		delete(c.pulls, key)
	}
}

func (p *pull) add(box *mailbox) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	p.progress[p.next] = box
	return p.next
}

func (p *pull) remove(n int) (left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.progress, n)
	return len(p.progress)
}

func (p *pull) tell(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, box := range p.progress {
		box.put(e)
	}
}

// transfer pulls, with retries of what may pass.
func (c *Client) transfer(ctx context.Context, key string, r Request, p *pull) {
	defer p.cancel()
	defer close(p.done)
	p.err = c.retry(ctx, key, p.tell, func() error { return c.translate("pull", key, c.once(ctx, key, r, p)) })
	if p.err == nil {
		p.id, p.err = c.local(ctx, key)
	}
	if p.err == nil && p.id == "" {
		p.err = fmt.Errorf("%w: the image vanished right after the pull", image.ErrUnavailable)
	}
	if p.err == nil {
		p.tell(Event{Kind: Complete})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pulls[key] == p {
		delete(c.pulls, key)
	}
}

// once transfers what is missing, if there is room for it.
func (c *Client) once(ctx context.Context, key string, r Request, p *pull) error {
	if c.cfg.Transfer == TransferLoad {
		return c.loadOnce(ctx, key, r, p)
	}
	// What cannot be foreseen the engine finds out by itself.
	if m, err := c.missing(ctx, r); err == nil {
		if err := c.makeRoom(ctx, m); err != nil {
			return err
		}
	}
	return c.pullOnce(ctx, r, p)
}

func (c *Client) pullOnce(ctx context.Context, r Request, p *pull) error {
	stream, err := c.docker.ImagePull(ctx, c.reference(r), dockerimage.PullOptions{RegistryAuth: auth(r.Token)})
	if err != nil {
		return c.translate("pull", c.reference(r), err)
	}
	defer stream.Close()
	return c.translate("pull", c.reference(r), follow(stream, p.tell))
}
