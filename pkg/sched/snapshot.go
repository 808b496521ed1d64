package sched

import (
	"iter"
	"slices"
	"strings"
)

// Snapshot is the fleet at one moment: of a Ledger, with which it shares the
// hosts, or made by hand with SnapshotOf.
type Snapshot struct {
	// Number is handed back in Plan.Snapshot.
	Number uint64
	made   []Host  // by hand, in any order, not looked at yet
	fleet  []*Host // of a Ledger: valid, sorted by id, never changed
}

// SnapshotOf is a fleet of any hosts in any order; the plan does not depend on
// it. They are not copied: leave them alone while a Plan looks at them. Hosts
// that make no sense are ErrInvalid there.
func SnapshotOf(hosts ...Host) Snapshot { return Snapshot{made: hosts} }

// Len is the number of hosts.
func (s Snapshot) Len() int { return max(len(s.made), len(s.fleet)) }

// All goes through the hosts. Read them only.
func (s Snapshot) All() iter.Seq[*Host] {
	return func(yield func(*Host) bool) {
		for _, h := range s.fleet {
			if !yield(h) {
				return
			}
		}
		for i := range s.made {
			if !yield(&s.made[i]) {
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
	if len(s.made) == 0 {
		return s.fleet, nil
	}
	hosts, inOrder := make([]*Host, len(s.made)), true
	for i := range s.made {
		hosts[i] = &s.made[i]
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
