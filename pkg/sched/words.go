package sched

// words are the reasons of the built-in filters for one request, made once so
// that the scan over the hosts builds no strings.
type words struct {
	lacks                [NumResources]Reason
	require              []Reason
	unreached, noAddress []Reason
	apart                []Reason
	near                 []Reason
	noDomain, skew       []Reason
}

func newWords(r *run) words {
	var w words
	for k := range w.lacks {
		w.lacks[k] = Reason("lacks " + Resource(k).String())
	}
	for _, s := range r.req.Set.Require {
		w.require = append(w.require, requireReason(s))
	}
	for _, nw := range r.networks {
		w.unreached = append(w.unreached, Reason("has no way to network "+nw.name))
		w.noAddress = append(w.noAddress, Reason("has no free address in network "+nw.name))
	}
	for _, a := range r.req.Set.AntiAffinity {
		w.apart = append(w.apart, apartReason(a))
	}
	for _, a := range r.req.Set.Affinity {
		w.near = append(w.near, nearReason(a, r.req.Set.Group))
	}
	for _, s := range r.req.Set.Spread {
		w.noDomain = append(w.noDomain, Reason("has no label "+s.By))
		w.skew = append(w.skew, Reason("would unbalance the spread by "+s.By))
	}
	return w
}

func requireReason(s Selector) Reason {
	if s.Not {
		return Reason("has label " + s.String())
	}
	return Reason("lacks label " + s.String())
}

func apartReason(a AntiAffinity) Reason {
	group := "group " + a.Group
	if a.Group == "" {
		group = "the same batch"
	}
	if a.By == "host" {
		return Reason("has a set of " + group)
	}
	return Reason("shares its " + a.By + " with a set of " + group)
}

func nearReason(a Affinity, own string) Reason {
	if a.Group == "" {
		a.Group = own
	}
	group := "group " + a.Group
	if a.Group == "" {
		group = "the same batch"
	}
	if a.By == "" || a.By == "host" {
		return Reason("has no set of " + group)
	}
	return Reason("shares its " + a.By + " with no set of " + group)
}
