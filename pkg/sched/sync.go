package sched

import "maps"

// sync makes the fleet that of another snapshot, by looking for hosts that are
// not the same ones. It reports false where the fleet has to be made anew:
// hosts came, went or moved.
func (f *fleet) sync(hosts []*Host) bool {
	if len(hosts) != len(f.hosts) {
		return false
	}
	shares := false
	for i, h := range hosts {
		old := f.hosts[i]
		if h == old {
			continue
		}
		if h.ID != old.ID || h.Rack != old.Rack {
			return false
		}
		shares = f.replace(i, h) || shares
	}
	f.hosts = hosts
	if shares && f.shares() {
		f.shareEra++
	}
	f.log.trim(len(hosts))
	return true
}

// replace notes that host i is another version, and reports whether that may
// change the shares. f.hosts may belong to a snapshot, so it is not written.
func (f *fleet) replace(i int, h *Host) (shares bool) {
	old, alloc := f.hosts[i], h.Allocatable()
	f.log.add(int32(i))
	shares = h.State != old.State || alloc != f.alloc[i]
	if shares {
		f.offer(old.State, &f.alloc[i], -1)
		f.offer(h.State, &alloc, 1)
	}
	if h.State != old.State {
		f.stateEra++
	}
	if h.Zone != old.Zone || !maps.Equal(h.Labels, old.Labels) {
		f.labelEra++
	}
	f.regroup(int32(i), old.Groups, h.Groups)
	f.measure(i, h)
	return shares
}

func (f *fleet) regroup(i int32, old, now map[string]int) {
	for group, n := range now {
		if old[group] != n {
			f.count(group, i, n)
		}
	}
	for group := range old {
		if _, still := now[group]; !still {
			f.count(group, i, 0)
		}
	}
}

// changeLog is the numbers of the changed hosts, the oldest forgotten.
type changeLog struct {
	hosts []int32
	first uint64 // position of hosts[0] among all changes ever
}

func (l *changeLog) add(i int32) { l.hosts = append(l.hosts, i) }

func (l *changeLog) end() uint64 { return l.first + uint64(len(l.hosts)) }

// since is the changes from a position, or false when they are forgotten.
func (l *changeLog) since(position uint64) ([]int32, bool) {
	if position < l.first {
		return nil, false
	}
	return l.hosts[position-l.first:], true
}

// trim bounds the log: who is further behind is quicker to start anew.
func (l *changeLog) trim(hosts int) {
	if limit := 2*hosts + 1024; len(l.hosts) > limit {
		drop := len(l.hosts) - limit/2
		l.hosts = append(l.hosts[:0], l.hosts[drop:]...)
		l.first += uint64(drop)
	}
}
