package agent

import (
	"context"
	"fmt"
	"net"
	"slices"

	"github.com/moset/moset/internal/errkind"
	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/set"
)

// network is the set.Network of a host: one hostnet port for each address of a server.
type network struct{ host *hostnet.Host }

var _ set.Network = network{}

var networkErrors = errkind.Map{
	{From: hostnet.ErrUnavailable, To: set.ErrUnavailable},
	{From: hostnet.ErrPermission, To: set.ErrUnavailable},
	{From: hostnet.ErrConflict, To: set.ErrConflict},
	{From: hostnet.ErrInvalid, To: set.ErrInvalid},
	{From: hostnet.ErrUnsupported, To: set.ErrInvalid},
	{From: hostnet.ErrNotFound, To: set.ErrNotFound},
}

// Attach implements set.Network.
func (n network) Attach(ctx context.Context, req set.AttachRequest) error {
	specs := make([]hostnet.PortSpec, len(req.Addresses))
	for i, a := range req.Addresses {
		spec, err := portSpec(req, i, a)
		if err != nil {
			return err
		}
		specs[i] = spec
	}
	_, err := n.host.Attach(ctx, specs...)
	return networkErrors.Translate(err)
}

// portSpec renders one address of a server as a port.
func portSpec(req set.AttachRequest, i int, a set.Address) (hostnet.PortSpec, error) {
	mac, err := net.ParseMAC(a.MAC)
	if err != nil {
		return hostnet.PortSpec{}, fmt.Errorf("%w: address %s: %w", set.ErrInvalid, a.Prefix, err)
	}
	spec := hostnet.PortSpec{
		ID:            hostnet.PortID(fmt.Sprintf("%s/%d", req.ServerID, i)),
		Server:        req.ServerID,
		NetNS:         hostnet.NetNS{Path: req.Sandbox.NetNS},
		IfName:        fmt.Sprintf("eth%d", i),
		MAC:           mac,
		Gateway:       a.Gateway,
		MTU:           a.MTU,
		Tenant:        hostnet.Tenant(a.Segment),
		ToContainer:   hostnet.Limit{Rate: hostnet.BitRate(a.Ingress)},
		FromContainer: hostnet.Limit{Rate: hostnet.BitRate(a.Egress)},
	}
	spec.Addrs = append(spec.Addrs, a.Prefix)
	return spec, nil
}

// Detach implements set.Network.
func (n network) Detach(ctx context.Context, serverID string) error {
	ports, err := n.host.List(ctx)
	if err != nil {
		return networkErrors.Translate(err)
	}
	var ids []hostnet.PortID
	for _, p := range ports {
		if p.Spec.Server == serverID {
			ids = append(ids, p.ID())
		}
	}
	return networkErrors.Translate(n.host.Detach(ctx, ids...))
}

// List implements set.Network.
func (n network) List(ctx context.Context) ([]string, error) {
	ports, err := n.host.List(ctx)
	if err != nil {
		return nil, networkErrors.Translate(err)
	}
	var servers []string
	for _, p := range ports {
		servers = append(servers, p.Spec.Server)
	}
	slices.Sort(servers)
	return slices.Compact(servers), nil
}
