// Package ipam keeps a region's networks and gives out their addresses. Allocation adds to a store.Txn, so
// that a server, its address and its task are reserved in one transaction or not at all.
//
// A network belongs to a project and has a segment, the number that isolates it on the wire; networks of
// different projects may have the same addresses. The package does not route between networks.
package ipam

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// Config shapes the networks that nobody described: each project's "default".
type Config struct {
	Store       store.Store
	DefaultCIDR netip.Prefix // default 10.32.0.0/20; the same for every project
	MTU         int          // bytes; default 1450, which leaves room for a tunnel
}

// DefaultName is the network a project has without making one.
const DefaultName = "default"

// Network is a range of addresses of one project.
type Network struct {
	ID        string       `json:"id"` // UUID
	Name      string       `json:"name"`
	ProjectID string       `json:"project_id"`
	CIDR      netip.Prefix `json:"cidr"`
	Gateway   netip.Addr   `json:"gateway"` // the first address; never given out
	Segment   uint16       `json:"segment"` // 1..65535, unique in the region
	MTU       int          `json:"mtu"`     // bytes
	CreatedAt time.Time    `json:"created_at"`
	Deleting  bool         `json:"deleting,omitempty"`
	InUse     int          `json:"in_use"` // addresses given out; counted when asked for
	Size      int          `json:"size"`   // addresses that can be given out; counted when asked for
}

// IPAM allocates addresses.
type IPAM struct {
	cfg Config

	mu      sync.Mutex
	cursors map[string]netip.Addr // by network: where the next search begins, so that a freed address rests
}

// New makes an IPAM on a store.
func New(cfg Config) *IPAM {
	if !cfg.DefaultCIDR.IsValid() {
		cfg.DefaultCIDR = netip.MustParsePrefix("10.32.0.0/20")
	}
	if cfg.MTU == 0 {
		cfg.MTU = 1450
	}
	return &IPAM{cfg: cfg, cursors: map[string]netip.Addr{}}
}

func networkKey(id string) string         { return "network/" + id }
func nameKey(project, name string) string { return "netname/" + project + "/" + name }
func segmentKey(n uint16) string          { return fmt.Sprintf("segment/%05d", n) }
func addressPrefix(network string) string { return "ip/" + network + "/" }
func addressKey(network string, a netip.Addr) string {
	return addressPrefix(network) + a.String()
}

// Allocate picks a free address of n and adds it to the Txn, held by holder. A conflict on commit
// means that somebody else took them first: allocate again. Errors: set.ErrNoCapacity.
func (p *IPAM) Allocate(ctx context.Context, t *store.Txn, n Network, holder string, req set.NetworkRequest) (set.Address, error) {
	now, revision, err := p.load(ctx, n.ID)
	if err == nil && now.Deleting {
		err = store.ErrNotFound
	}
	if err != nil {
		return set.Address{}, notFound(err, "network", n.Name)
	}
	a, err := p.freeAddress(ctx, n)
	if err != nil {
		return set.Address{}, err
	}
	t.Expect(networkKey(n.ID), revision) // it is not being deleted
	t.Expect(addressKey(n.ID, a), 0)
	t.Put(addressKey(n.ID, a), []byte(holder))
	return set.Address{NetworkID: n.ID, Network: n.Name, Segment: n.Segment, MAC: macOf(n.ID, a), Prefix: netip.PrefixFrom(a, n.CIDR.Bits()),
		Gateway: n.Gateway, MTU: n.MTU, Ingress: req.Ingress, Egress: req.Egress}, nil
}

// Release adds the giving back of an address to the Txn.
func Release(t *store.Txn, a set.Address) {
	t.Delete(addressKey(a.NetworkID, a.Prefix.Addr()))
}

// freeAddress searches from where the last search ended, once around.
func (p *IPAM) freeAddress(ctx context.Context, n Network) (netip.Addr, error) {
	size := usable(n.CIDR)
	for range size {
		a := p.advance(n)
		_, err := p.cfg.Store.Get(ctx, addressKey(n.ID, a))
		if errors.Is(err, store.ErrNotFound) {
			return a, nil
		}
		if err != nil {
			return a, unavailable(err)
		}
	}
	return netip.Addr{}, fmt.Errorf("%w: network %s has no free address: all %d are in use", set.ErrNoCapacity, n.Name, size)
}

// advance moves the cursor of a network by one and returns where it is.
func (p *IPAM) advance(n Network) netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.cursors[n.ID]
	if !ok {
		at = n.Gateway
	}
	at = at.Next()
	if !n.CIDR.Contains(at.Next()) { // at is the broadcast address
		at = n.Gateway.Next()
	}
	p.cursors[n.ID] = at
	return at
}

// usable is how many addresses of a range can be given out: not the network's own, the gateway's and the broadcast.
func usable(p netip.Prefix) int { return 1<<(32-p.Bits()) - 3 }

// macOf is the MAC that an address of a network has, whoever holds it: a neighbour that remembers an
// earlier holder reaches the new one at once. No two addresses of a network share one, since a network has
// at most 2^24 addresses; other networks are other segments. The prefix is the one of OpenStack's ports.
func macOf(networkID string, a netip.Addr) string {
	salt := sha256.Sum256([]byte(networkID))
	ip := a.As4()
	n := binary.BigEndian.Uint32(ip[:]) + binary.BigEndian.Uint32(salt[:])
	return fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", byte(n>>16), byte(n>>8), byte(n))
}

// NetworkRequest describes a network to make.
type NetworkRequest struct {
	Name string       `json:"name"`
	CIDR netip.Prefix `json:"cidr"`          // IPv4, /8 to /29
	MTU  int          `json:"mtu,omitempty"` // bytes; default that of the region
}

func (r NetworkRequest) validate() error {
	switch {
	case !validName(r.Name):
		return fmt.Errorf("%w: name: %.80q is not 1 to 63 of a-z, 0-9, \".\" and \"-\"", set.ErrInvalid, r.Name)
	case !r.CIDR.IsValid() || !r.CIDR.Addr().Is4() || r.CIDR.Bits() < 8 || r.CIDR.Bits() > 29:
		return fmt.Errorf("%w: cidr: %s is not an IPv4 range of /8 to /29", set.ErrInvalid, r.CIDR)
	case r.CIDR != r.CIDR.Masked():
		return fmt.Errorf("%w: cidr: %s has host bits set, %s is meant", set.ErrInvalid, r.CIDR, r.CIDR.Masked())
	case r.MTU != 0 && (r.MTU < 576 || r.MTU > 9000):
		return fmt.Errorf("%w: mtu: %d is not 576 to 9000", set.ErrInvalid, r.MTU)
	}
	return nil
}

func validName(s string) bool {
	if len(s) == 0 || len(s) > 63 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// Create makes a network. Errors: set.ErrInvalid, set.ErrConflict (name taken), set.ErrNoCapacity (no segment left).
func (p *IPAM) Create(ctx context.Context, projectID string, req NetworkRequest) (Network, error) {
	if err := req.validate(); err != nil {
		return Network{}, err
	}
	if req.MTU == 0 {
		req.MTU = p.cfg.MTU
	}
	n := Network{ID: uuid.NewString(), Name: req.Name, ProjectID: projectID, CIDR: req.CIDR, Gateway: req.CIDR.Addr().Next(), MTU: req.MTU, CreatedAt: time.Now().UTC()}
	for {
		var err error
		if n.Segment, err = p.freeSegment(ctx); err != nil {
			return n, err
		}
		err = p.insert(ctx, n)
		var conflict *store.ConflictError
		if errors.As(err, &conflict) && conflict.Key == segmentKey(n.Segment) {
			continue // somebody else took the segment
		}
		if errors.As(err, &conflict) {
			return n, fmt.Errorf("%w: a network called %s exists already", set.ErrConflict, n.Name)
		}
		return n, unavailable(err)
	}
}

func (p *IPAM) insert(ctx context.Context, n Network) error {
	var t store.Txn
	t.Expect(segmentKey(n.Segment), 0)
	t.Put(segmentKey(n.Segment), []byte(n.ID))
	t.Expect(nameKey(n.ProjectID, n.Name), 0)
	t.Put(nameKey(n.ProjectID, n.Name), []byte(n.ID))
	t.Put(networkKey(n.ID), encode(n))
	_, err := p.cfg.Store.Commit(ctx, t)
	return err
}

// freeSegment is the lowest number no network has.
func (p *IPAM) freeSegment(ctx context.Context) (uint16, error) {
	taken, err := p.cfg.Store.List(ctx, "segment/", "", 0)
	if err != nil {
		return 0, unavailable(err)
	}
	next := uint16(1)
	for _, i := range taken {
		if i.Key != segmentKey(next) {
			break
		}
		if next++; next == 0 {
			return 0, fmt.Errorf("%w: all 65535 segments are in use: delete a network", set.ErrNoCapacity)
		}
	}
	return next, nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data: cannot fail
	}
	return b
}

func unavailable(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return fmt.Errorf("%w: %w", set.ErrUnavailable, err)
	}
	return err
}

func notFound(err error, what, name string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: there is no %s %q", set.ErrNotFound, what, name)
	}
	return unavailable(err)
}
