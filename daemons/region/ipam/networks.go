package ipam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// Get returns a project's network by name or id; its default network is made on first use. Errors: set.ErrNotFound.
func (p *IPAM) Get(ctx context.Context, projectID, ref string) (Network, error) {
	if ref == "" {
		ref = DefaultName
	}
	n, _, err := p.find(ctx, projectID, ref)
	if ref == DefaultName && errors.Is(err, store.ErrNotFound) {
		return p.makeDefault(ctx, projectID)
	}
	if err == nil && n.Deleting {
		err = store.ErrNotFound
	}
	return n, notFound(err, "network", ref)
}

// find returns a network with its revision, also one that is being deleted. Errors: store.ErrNotFound.
func (p *IPAM) find(ctx context.Context, projectID, ref string) (Network, uint64, error) {
	id := ref
	if i, err := p.cfg.Store.Get(ctx, nameKey(projectID, ref)); err == nil {
		id = string(i.Value)
	} else if !errors.Is(err, store.ErrNotFound) {
		return Network{}, 0, unavailable(err)
	}
	n, revision, err := p.load(ctx, id)
	if err == nil && n.ProjectID != projectID {
		err = store.ErrNotFound
	}
	return n, revision, err
}

func (p *IPAM) load(ctx context.Context, id string) (n Network, revision uint64, err error) {
	i, err := p.cfg.Store.Get(ctx, networkKey(id))
	if err != nil {
		return n, 0, err
	}
	return n, i.Revision, json.Unmarshal(i.Value, &n)
}

func (p *IPAM) makeDefault(ctx context.Context, projectID string) (Network, error) {
	n, err := p.Create(ctx, projectID, NetworkRequest{Name: DefaultName, CIDR: p.cfg.DefaultCIDR})
	if errors.Is(err, set.ErrConflict) { // another request made it first
		return p.Get(ctx, projectID, DefaultName)
	}
	return n, err
}

// List returns a project's networks with their counts.
func (p *IPAM) List(ctx context.Context, projectID string) ([]Network, error) {
	names, err := p.cfg.Store.List(ctx, nameKey(projectID, ""), "", 0)
	if err != nil {
		return nil, unavailable(err)
	}
	list := []Network{}
	for _, i := range names {
		n, _, err := p.load(ctx, string(i.Value))
		if errors.Is(err, store.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err == nil {
			n, err = p.Count(ctx, n)
		}
		if err != nil {
			return nil, unavailable(err)
		}
		list = append(list, n)
	}
	return list, nil
}

// Count fills InUse and Size.
func (p *IPAM) Count(ctx context.Context, n Network) (Network, error) {
	used, err := p.cfg.Store.List(ctx, addressPrefix(n.ID), "", 0)
	if err != nil {
		return n, unavailable(err)
	}
	n.InUse, n.Size = len(used), usable(n.CIDR)
	return n, nil
}

// Delete removes a network; one whose deletion broke off is deleted again. Errors: set.ErrNotFound,
// set.ErrConflict while addresses of it are in use.
func (p *IPAM) Delete(ctx context.Context, projectID, ref string) error {
	n, revision, err := p.find(ctx, projectID, ref)
	if err != nil {
		return notFound(err, "network", ref)
	}
	n.Deleting = true // from here on no Allocate that has not committed will
	if revision, err = p.save(ctx, n, revision); err != nil {
		return err
	}
	counted, err := p.Count(ctx, n)
	if err == nil && counted.InUse > 0 {
		err = fmt.Errorf("%w: %d addresses of network %s are in use: delete their servers and reservations first", set.ErrConflict, counted.InUse, n.Name)
	}
	if err != nil {
		n.Deleting = false
		_, undo := p.save(ctx, n, revision)
		return errors.Join(err, undo)
	}
	var t store.Txn
	t.Expect(networkKey(n.ID), revision)
	t.Delete(networkKey(n.ID), nameKey(projectID, n.Name), segmentKey(n.Segment))
	_, err = p.commit(ctx, n, t)
	return err
}

func (p *IPAM) save(ctx context.Context, n Network, revision uint64) (uint64, error) {
	var t store.Txn
	t.Expect(networkKey(n.ID), revision)
	t.Put(networkKey(n.ID), encode(n))
	return p.commit(ctx, n, t)
}

func (p *IPAM) commit(ctx context.Context, n Network, t store.Txn) (uint64, error) {
	revision, err := p.cfg.Store.Commit(ctx, t)
	if errors.Is(err, store.ErrConflict) {
		err = fmt.Errorf("%w: network %s is being deleted by another request", set.ErrConflict, n.Name)
	}
	return revision, unavailable(err)
}
