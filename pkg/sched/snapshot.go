package sched

import (
	"iter"
	"slices"
	"strings"
)

// Snapshot is the fleet at one moment. One made by hand has Hosts:
//
//	sched.Snapshot{Hosts: []sched.Host{{ID: "a"}, {ID: "b"}}}
//
// One made by a Ledger shares its hosts with the ledger and other snapshots,
// and its Hosts is empty: All, Len and List read either kind.
type Snapshot struct {
	// Number is handed back in Plan.Snapshot.
	Number uint64
	// Hosts is the fleet of a snapshot made by hand, in any order; the plan
	// does not depend on it.
	Hosts []Host
	// fleet is the fleet of a Ledger: valid, sorted by id, never changed.
	fleet []*Host
}

// Len is the number of hosts.
func (s Snapshot) Len() int { return max(len(s.Hosts), len(s.fleet)) }

// All goes through the hosts. Read them only.
func (s Snapshot) All() iter.Seq[*Host] {
	return func(yield func(*Host) bool) {
		for _, h := range s.fleet {
			if !yield(h) {
				return
			}
		}
		for i := range s.Hosts {
			if !yield(&s.Hosts[i]) {
				return
			}
		}
	}
}

// List is a copy of the hosts, to keep or to change; their maps are shared.
func (s Snapshot) List() []Host {
	list := make([]Host, 0, s.Len())
	for h := range s.All() {
		list = append(list, *h)
	}
	return list
}

// sorted is the hosts by id, or ErrInvalid for hosts that make no sense.
func (s Snapshot) sorted() ([]*Host, error) {
	switch {
	case len(s.Hosts) == 0:
		return s.fleet, nil
	case len(s.fleet) > 0:
		return nil, invalid("the snapshot of a ledger was given more hosts; make one by hand from its List")
	}
	hosts, inOrder := make([]*Host, len(s.Hosts)), true
	for i := range s.Hosts {
		hosts[i] = &s.Hosts[i]
		if err := hosts[i].Validate(); err != nil {
			return nil, err
		}
		inOrder = inOrder && (i == 0 || hosts[i-1].ID < hosts[i].ID)
	}
	if inOrder {
		return hosts, nil
	}
	slices.SortFunc(hosts, func(a, b *Host) int { return strings.Compare(a.ID, b.ID) })
	for i := 1; i < len(hosts); i++ {
		if hosts[i-1].ID == hosts[i].ID {
			return nil, invalid("host %s is in the snapshot twice", hosts[i].ID)
		}
	}
	return hosts, nil
}
