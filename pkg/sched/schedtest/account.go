package schedtest

import (
	"fmt"

	"github.com/moset/moset/pkg/sched"
)

// account replays a plan on copies of the hosts, with arithmetic that has
// nothing in common with any scheduler's.
type account struct {
	set    sched.Set
	hosts  map[string]*sched.Host
	copies map[string]int
}

func newAccount(snap sched.Snapshot, set sched.Set) *account {
	a := &account{set: set, hosts: make(map[string]*sched.Host), copies: make(map[string]int)}
	for h := range snap.All() {
		a.hosts[h.ID] = h
	}
	return a
}

// refuses is why the next copy may not go to the host, or "".
func (a *account) refuses(id string) string {
	h := a.hosts[id]
	if h == nil {
		return "it is not in the snapshot"
	}
	if h.State != sched.Ready {
		return "it is " + h.State.String()
	}
	for _, s := range a.set.Require {
		if !s.Matches(h) {
			return "it does not match " + s.String()
		}
	}
	alloc := h.Allocatable()
	for r, need := range a.set.Need {
		if used := h.Used[r] + need*int64(a.copies[id]); need > 0 && used+need > alloc[r] {
			return fmt.Sprintf("%d of %d %s are used and %d needed", used, alloc[r], sched.Resource(r), need)
		}
	}
	return a.addresses(h) + a.apart(h)
}

func (a *account) addresses(h *sched.Host) string {
	if h.IPPools == nil {
		return ""
	}
	mentions := make(map[string]int64)
	for _, name := range a.set.Networks {
		mentions[name]++
	}
	for name, n := range mentions {
		if n*int64(a.copies[h.ID]+1) > h.IPPools[name] {
			return "it has too few addresses in " + name
		}
	}
	return ""
}

func (a *account) apart(h *sched.Host) string {
	for _, rule := range a.set.AntiAffinity {
		by, group := rule.By, rule.Group
		if by == "" {
			by = "host"
		}
		if group == "" {
			group = a.set.Group
		}
		mine, ok := h.Label(by)
		for _, other := range a.hosts {
			if theirs, has := other.Label(by); ok && has && mine == theirs && a.sets(other, group) > 0 {
				return "group " + group + " is in the same " + by
			}
		}
	}
	return ""
}

func (a *account) sets(h *sched.Host, group string) int {
	n := 0
	if group != "" {
		n = h.Groups[group]
	}
	if group == a.set.Group {
		n += a.copies[h.ID]
	}
	return n
}

func (a *account) take(id string) { a.copies[id]++ }
