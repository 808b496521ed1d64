package sched

// contradicts finds rules of the set that no host can meet together, whatever
// the fleet.
func (s *Set) contradicts() error {
	for k := range s.Require {
		if sel := &s.Require[k]; !sel.Not && !s.allows(sel) {
			return invalid("the set requires %s, which its other requirements of label %s rule out", sel, sel.Key)
		}
	}
	for _, near := range s.Affinity {
		for _, apart := range s.AntiAffinity {
			if near.Hard && s.sameGroup(near.Group, apart.Group) && sameLabel(near.By, apart.By) {
				return invalid("the set must be both near group %q and apart from it", near.Group)
			}
		}
	}
	return nil
}

// allows reports whether a label can meet the selector and all others.
func (s *Set) allows(sel *Selector) bool {
	if len(sel.Values) == 0 {
		for k := range s.Require {
			if o := &s.Require[k]; o.Key == sel.Key && o.Not && len(o.Values) == 0 {
				return false
			}
		}
		return true
	}
	for _, value := range sel.Values {
		if s.allowsValue(sel.Key, value) {
			return true
		}
	}
	return false
}

func (s *Set) allowsValue(key, value string) bool {
	for k := range s.Require {
		if o := &s.Require[k]; o.Key == key && o.accepts(value, true) == o.Not {
			return false
		}
	}
	return true
}

func (s *Set) sameGroup(a, b string) bool {
	if a == "" {
		a = s.Group
	}
	if b == "" {
		b = s.Group
	}
	return a == b
}

func sameLabel(a, b string) bool {
	if a == "" {
		a = "host"
	}
	if b == "" {
		b = "host"
	}
	return a == b
}
