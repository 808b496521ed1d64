package ipam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// Reservation is an address held by a name instead of a server, for what the region does not run.
type Reservation struct {
	Name    string      `json:"name"`
	Address set.Address `json:"address"`
}

func reservationKey(network, name string) string { return "reservation/" + network + "/" + name }

// Reserve holds an address of a network for a name; the same name gets the same address again.
func (p *IPAM) Reserve(ctx context.Context, n Network, name string) (Reservation, error) {
	if !validName(name) {
		return Reservation{}, fmt.Errorf("%w: name: %.80q is not 1 to 63 of a-z, 0-9, \".\" and \"-\"", set.ErrInvalid, name)
	}
	for {
		i, err := p.cfg.Store.Get(ctx, reservationKey(n.ID, name))
		if err == nil {
			var r Reservation
			return r, json.Unmarshal(i.Value, &r)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return Reservation{}, unavailable(err)
		}
		var t store.Txn
		a, err := p.Allocate(ctx, &t, n, "reservation "+name, set.NetworkRequest{})
		if err != nil {
			return Reservation{}, err
		}
		r := Reservation{Name: name, Address: a}
		t.Expect(reservationKey(n.ID, name), 0)
		t.Put(reservationKey(n.ID, name), encode(r))
		if _, err = p.cfg.Store.Commit(ctx, t); !errors.Is(err, store.ErrConflict) {
			return r, unavailable(err)
		}
	}
}

// Unreserve gives a reserved address back. Errors: set.ErrNotFound.
func (p *IPAM) Unreserve(ctx context.Context, n Network, name string) error {
	i, err := p.cfg.Store.Get(ctx, reservationKey(n.ID, name))
	if err != nil {
		return notFound(err, "reservation", name)
	}
	var r Reservation
	if err := json.Unmarshal(i.Value, &r); err != nil {
		return err
	}
	var t store.Txn
	t.Expect(i.Key, i.Revision)
	t.Delete(i.Key)
	Release(&t, r.Address)
	_, err = p.cfg.Store.Commit(ctx, t)
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%w: reservation %s changed meanwhile", set.ErrConflict, name)
	}
	return unavailable(err)
}

// Reservations lists what is reserved on a network.
func (p *IPAM) Reservations(ctx context.Context, n Network) ([]Reservation, error) {
	items, err := p.cfg.Store.List(ctx, reservationKey(n.ID, ""), "", 0)
	if err != nil {
		return nil, unavailable(err)
	}
	list := []Reservation{}
	for _, i := range items {
		var r Reservation
		if err := json.Unmarshal(i.Value, &r); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}
