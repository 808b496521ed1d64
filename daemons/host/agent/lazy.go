package agent

import (
	"context"
	"fmt"
	"sync"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/set"
)

// lazyNetwork opens the switch when it is first needed and again until that succeeds, so that a host can
// start before Open vSwitch does.
type lazyNetwork struct {
	cfg hostnet.Config

	mu     sync.Mutex
	host   *hostnet.Host
	closed bool
}

var _ set.Network = (*lazyNetwork)(nil)

func (l *lazyNetwork) open(ctx context.Context) (network, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return network{}, fmt.Errorf("%w: the host is shutting down", set.ErrUnavailable)
	}
	if l.host == nil {
		host, err := hostnet.Open(context.WithoutCancel(ctx), l.cfg) // it lives on after this call
		if err != nil {
			return network{}, networkErrors.Translate(err)
		}
		l.host = host
	}
	return network{l.host}, nil
}

// Attach implements set.Network.
func (l *lazyNetwork) Attach(ctx context.Context, req set.AttachRequest) error {
	n, err := l.open(ctx)
	if err != nil {
		return err
	}
	return n.Attach(ctx, req)
}

// Detach implements set.Network.
func (l *lazyNetwork) Detach(ctx context.Context, serverID string) error {
	n, err := l.open(ctx)
	if err != nil {
		return err
	}
	return n.Detach(ctx, serverID)
}

// List implements set.Network.
func (l *lazyNetwork) List(ctx context.Context) ([]string, error) {
	n, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	return n.List(ctx)
}

// Check says whether the switch answers.
func (l *lazyNetwork) Check(ctx context.Context) error {
	n, err := l.open(ctx)
	if err != nil {
		return err
	}
	return networkErrors.Translate(n.host.Check(ctx))
}

// Close lets go of the switch; ports and flows stay.
func (l *lazyNetwork) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.host == nil {
		return nil
	}
	return l.host.Close()
}
