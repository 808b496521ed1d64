package ovsdb

import (
	"context"
	"sync"
	"time"
)

// Lock takes a named lock of the server (RFC 7047 section 4.1.8) and returns what gives it back. The server
// frees it when the connection ends, so a crash leaves none behind. Giving it back twice is fine. One caller of a Client at a time.
func (c *Client) Lock(ctx context.Context, name string) (func(), error) {
	cn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	granted := make(chan struct{})
	cn.mu.Lock()
	cn.granted[name] = granted
	cn.mu.Unlock()
	var got struct {
		Locked bool `json:"locked"`
	}
	if err := cn.call(ctx, "lock", []string{name}, &got); err != nil {
		cn.unlock(name)
		return nil, err
	}
	if !got.Locked {
		if err := cn.await(ctx, granted); err != nil {
			cn.unlock(name)
			return nil, err
		}
	}
	return sync.OnceFunc(func() { cn.unlock(name) }), nil
}

func (c *conn) await(ctx context.Context, granted chan struct{}) error {
	select {
	case <-granted:
		return nil
	case <-c.gone:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unlock gives the lock back, or withdraws from its queue. If the server does not even take that, the
// connection is of no more use, and ending it frees the lock.
func (c *conn) unlock(name string) {
	c.mu.Lock()
	delete(c.granted, name)
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var ignored any
	if err := c.call(ctx, "unlock", []string{name}, &ignored); err != nil {
		c.net.Close()
	}
}
