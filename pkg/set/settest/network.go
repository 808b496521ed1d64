package settest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/moset/moset/pkg/set"
)

// Network is a set.Network in memory.
type Network struct {
	knobs *Knobs

	mu    sync.Mutex
	ports map[string]set.AttachRequest
}

var _ set.Network = (*Network)(nil)

// Attach implements set.Network.
func (n *Network) Attach(ctx context.Context, req set.AttachRequest) error {
	return n.knobs.do(ctx, "Network.Attach", func() error {
		if req.Sandbox.NetNS == "" {
			return fmt.Errorf("%w: server %s has no network namespace", set.ErrInvalid, req.ServerID)
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.ports[req.ServerID] = req
		return nil
	})
}

// Detach implements set.Network.
func (n *Network) Detach(ctx context.Context, serverID string) error {
	return n.knobs.do(ctx, "Network.Detach", func() error {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.ports, serverID)
		return nil
	})
}

// List implements set.Network.
func (n *Network) List(ctx context.Context) ([]string, error) {
	var ids []string
	err := n.knobs.do(ctx, "Network.List", func() error {
		n.mu.Lock()
		defer n.mu.Unlock()
		ids = slices.Sorted(maps.Keys(n.ports))
		return nil
	})
	return ids, err
}

// Port returns what a server is attached with, without being counted as a call.
func (n *Network) Port(serverID string) (set.AttachRequest, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.ports[serverID]
	return p, ok
}
