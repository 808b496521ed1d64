package sched

import "sync"

// maxIdle is how many fleets are kept for the next plans: as many as ran at
// once, up to this.
const maxIdle = 4

// idle are the fleets that no plan is using, the one used last at the end.
type idle struct {
	mu     sync.Mutex
	fleets []*fleet
}

// fleet is the snapshot as a fleet of which the caller alone has hold until
// keep.
func (s *Scheduler) fleet(snap Snapshot) (*fleet, error) {
	hosts, err := snap.sorted()
	if err != nil {
		return nil, err
	}
	if s.keeps(snap) {
		if f := s.idle.take(); f != nil && f.sync(hosts) {
			return f, nil
		}
	}
	return newFleet(hosts, s.seed, s.shard), nil
}

// keeps reports whether a fleet is worth keeping. Hosts of a snapshot made by
// hand may be changed by its maker, so nothing can be told from them later.
func (s *Scheduler) keeps(snap Snapshot) bool { return !s.exhaustive && len(snap.made) == 0 }

func (s *Scheduler) keep(snap Snapshot, f *fleet) {
	if s.keeps(snap) {
		s.idle.put(f)
	}
}

func (d *idle) take() *fleet {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.fleets)
	if n == 0 {
		return nil
	}
	f := d.fleets[n-1]
	d.fleets = d.fleets[:n-1]
	return f
}

func (d *idle) put(f *fleet) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.fleets) < maxIdle {
		d.fleets = append(d.fleets, f)
	}
}
