package sched

// Request is what is being placed, as plug-ins see it.
type Request struct {
	// Set is the set to place. Read it only.
	Set Set
	r   *run
}

// Share is the part of the ready hosts, from 0 to 1, that offer any of the
// resource: what few hosts have is worth saving.
func (q *Request) Share(r Resource) float64 { return q.r.f.share[r] }

// HostView is one host as it would be with the earlier copies of the batch on
// it. It is valid only during the call it was handed to.
type HostView struct {
	r *run
	i int
}

// ID is the host's id.
func (v HostView) ID() string { return v.r.f.hosts[v.i].ID }

// State is the host's state.
func (v HostView) State() State { return v.r.f.hosts[v.i].State }

// Label is the host's value of a label, as Host.Label.
func (v HostView) Label(key string) (value string, ok bool) { return v.r.f.hosts[v.i].Label(key) }

// Matches reports whether the host meets the condition.
func (v HostView) Matches(s Selector) bool { return s.Matches(v.r.f.hosts[v.i]) }

// Allocatable is what sets may use of the resource in all.
func (v HostView) Allocatable(r Resource) int64 { return v.r.f.alloc[v.i][r] }

// Free is what is left of the resource; it may be negative.
func (v HostView) Free(r Resource) int64 { return v.r.f.free[v.i][r] }

// Sets is the number of sets of a group on the host.
func (v HostView) Sets(group string) int {
	n := v.r.f.hosts[v.i].Groups[group]
	if group == v.r.req.Set.Group {
		n += int(v.r.f.placed[v.i])
	}
	return n
}

// FreeIPs is the number of free addresses of a network on the host. known is
// false when addresses do not depend on the host.
func (v HostView) FreeIPs(network string) (n int64, known bool) {
	pools := v.r.f.hosts[v.i].IPPools
	if pools == nil {
		return 0, false
	}
	return pools[network] - int64(v.r.f.placed[v.i])*v.r.mentions(network), true
}

// Views shows each host to a plug-in under test as Plan would at its first
// copy. It fails with ErrInvalid where Plan would.
func Views(set Set, hosts ...Host) (*Request, []HostView, error) {
	snap, b := SnapshotOf(hosts...), Batch{Set: set}
	if err := b.Validate(); err != nil {
		return nil, nil, err
	}
	sorted, err := snap.sorted()
	if err != nil {
		return nil, nil, err
	}
	r := newRun(New(Config{}), newFleet(sorted, 0, Shard{}), &b)
	r.tallies()
	views := make([]HostView, len(hosts))
	for i, h := range sorted {
		for k := range hosts {
			if h == &hosts[k] {
				views[k] = HostView{r, i}
			}
		}
	}
	return &r.req, views, nil
}
