package sched

import "slices"

// candidate is a host that comes into question, and its score.
type candidate struct {
	host      int32
	own       bool // of the scheduler's shard
	sum, base float64
}

func (x *index) better(a, b *candidate) bool {
	switch {
	case a.own != b.own:
		return a.own
	case a.sum != b.sum:
		return a.sum > b.sum
	case a.base != b.base:
		return a.base > b.base // rounding may have made equal what is not
	}
	return x.f.before(a.host, b.host)
}

// lead finds the best hosts, up to most, by a look at every host. It is for rules by labels that cut through
// blocks and for plug-ins that are asked for every copy; what the others say is in the class.
func (x *index) lead(most int) error {
	x.leading = x.leading[:0]
	if x.hosts != nil {
		for _, i := range x.hosts {
			if err := x.consider(i, most); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range x.c.score {
		if err := x.consider(int32(i), most); err != nil {
			return err
		}
	}
	return nil
}

// consider puts host i among the leading ones, if it is as good.
func (x *index) consider(i int32, most int) error {
	c := candidate{host: i, own: x.f.own[i], base: x.c.score[i]}
	full := len(x.leading) == most
	if c.base == refused || full && !c.own && x.leading[most-1].own || x.rules && x.closed(int(i), false) {
		return nil
	}
	for _, k := range x.ask {
		if x.filter(k, int(i)) != "" {
			return nil
		}
	}
	if c.sum = c.base; x.rules {
		c.sum += x.groupScore(int(i), false)
	}
	if len(x.rate) > 0 {
		more, err := x.sum(int(i), asked)
		if err != nil {
			return err
		}
		c.sum += more
	}
	if full && !x.better(&c, &x.leading[most-1]) {
		return nil
	}
	if full {
		x.leading = x.leading[:most-1]
	}
	at := len(x.leading)
	for at > 0 && x.better(&c, &x.leading[at-1]) {
		at--
	}
	x.leading = slices.Insert(x.leading, at, c)
	return nil
}
