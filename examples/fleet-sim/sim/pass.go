package sim

import "github.com/moset/moset/pkg/sched"

// pass is a fleet as a sampler changes it while it plans one batch.
type pass struct {
	set   sched.Set
	hosts []sched.Host
	order []int
	taken map[string]int // copies of the batch by the values they have of the labels to differ in
}

func newPass(snap sched.Snapshot, set sched.Set) *pass {
	p := &pass{set: set, hosts: snap.List(), order: make([]int, snap.Len()), taken: map[string]int{}}
	for i := range p.order {
		p.order[i] = i
	}
	return p
}

func (p *pass) suits(i int) bool {
	h := &p.hosts[i]
	if !fits(h, p.set) {
		return false
	}
	for _, key := range p.apart(h) {
		if p.taken[key] > 0 {
			return false
		}
	}
	return true
}

func (p *pass) take(i int) {
	p.hosts[i].Used = p.hosts[i].Used.Plus(p.set.Need)
	for _, key := range p.apart(&p.hosts[i]) {
		p.taken[key]++
	}
}

// apart are the label values that no two sets of the group may share.
func (p *pass) apart(h *sched.Host) []string {
	var keys []string
	for _, a := range p.set.AntiAffinity {
		if value, ok := h.Label(a.By); ok {
			keys = append(keys, a.By+"="+value)
		}
	}
	return keys
}
