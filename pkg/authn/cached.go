package authn

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// CacheConfig bounds a cache. Its zero value is the default.
type CacheConfig struct {
	TTL         time.Duration    // how long a revoked token may still pass; default 60s
	NegativeTTL time.Duration    // how long an invalid token is not asked about again; default 10s
	StaleIfDown time.Duration    // how long beyond TTL a token passes while Keystone is down, at most until it expires; default none
	MaxEntries  int              // default 10,000
	Timeout     time.Duration    // of one question to the Verifier behind; default 10s
	Clock       func() time.Time // default time.Now
}

// Cached is a Verifier that remembers answers. Tokens are kept as SHA-256 sums only.
type Cached struct {
	behind Verifier
	cfg    CacheConfig

	mu      sync.Mutex
	entries map[[32]byte]*list.Element // of *entry
	recent  *list.List                 // front: used last
	calls   map[[32]byte]*call
}

type entry struct {
	key     [32]byte
	id      *Identity // nil: known to be invalid
	err     error
	fresh   time.Time // until then the answer holds
	expires time.Time // until then it may be used while Keystone is down
}

// call is one question under way that later callers join.
type call struct {
	done chan struct{}
	id   *Identity
	err  error
}

// NewCached puts a cache before v.
func NewCached(v Verifier, cfg CacheConfig) *Cached {
	def := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	def(&cfg.TTL, time.Minute)
	def(&cfg.NegativeTTL, 10*time.Second)
	def(&cfg.Timeout, 10*time.Second)
	if cfg.MaxEntries == 0 {
		cfg.MaxEntries = 10_000
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	return &Cached{behind: v, cfg: cfg, entries: map[[32]byte]*list.Element{}, recent: list.New(), calls: map[[32]byte]*call{}}
}

// Verify implements Verifier. Concurrent calls for one token ask once; a caller that goes away does not end
// the question for the others. The Identity is shared: do not change it.
func (c *Cached) Verify(ctx context.Context, token string) (*Identity, error) {
	key := sha256.Sum256([]byte(token))
	now := c.cfg.Clock()
	c.mu.Lock()
	if e := c.lookup(key); e != nil && now.Before(e.fresh) {
		c.mu.Unlock()
		return e.id, e.err
	}
	ask, ok := c.calls[key]
	if !ok {
		ask = &call{done: make(chan struct{})}
		c.calls[key] = ask
		go c.ask(context.WithoutCancel(ctx), key, token, ask)
	}
	c.mu.Unlock()
	select {
	case <-ask.done:
		return ask.id, ask.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask puts the question to the Verifier behind and keeps the answer.
func (c *Cached) ask(ctx context.Context, key [32]byte, token string, ask *call) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	ask.id, ask.err = c.behind.Verify(ctx, token)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(ask.done)
	delete(c.calls, key)
	now := c.cfg.Clock()
	switch {
	case ask.err == nil:
		fresh := earlier(now.Add(c.cfg.TTL), ask.id.ExpiresAt)
		c.store(&entry{key: key, id: ask.id, fresh: fresh, expires: earlier(fresh.Add(c.cfg.StaleIfDown), ask.id.ExpiresAt)})
	case errors.Is(ask.err, ErrInvalidToken):
		c.store(&entry{key: key, err: ask.err, fresh: now.Add(c.cfg.NegativeTTL)})
	default: // nothing is known: neither kept nor, where StaleIfDown allows, believed
		if e := c.lookup(key); e != nil && e.id != nil && now.Before(e.expires) {
			ask.id, ask.err = e.id, nil
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// lookup and store keep the order of use; c.mu is held.
func (c *Cached) lookup(key [32]byte) *entry {
	el, ok := c.entries[key]
	if !ok {
		return nil
	}
	c.recent.MoveToFront(el)
	return el.Value.(*entry)
}

func (c *Cached) store(e *entry) {
	if el, ok := c.entries[e.key]; ok {
		el.Value = e
		return
	}
	c.entries[e.key] = c.recent.PushFront(e)
	if c.recent.Len() > c.cfg.MaxEntries {
		oldest := c.recent.Back()
		c.recent.Remove(oldest)
		delete(c.entries, oldest.Value.(*entry).key)
	}
}

// Forget drops what is known of a token, so that the next call asks again.
func (c *Cached) Forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := sha256.Sum256([]byte(token))
	if el, ok := c.entries[key]; ok {
		c.recent.Remove(el)
		delete(c.entries, key)
	}
}
