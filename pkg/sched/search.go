package sched

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
)

// search looks for victims on one host after the other, on a fleet of its own.
type search struct {
	scanner
	lower [][]*Running // those that may be stopped, by host number
	found *option

	// Of the host being looked at.
	at   int
	was  *Host
	now  Host // was without those gone
	gone []*Running
}

// option is the victims on one host, and what it is compared by.
type option struct {
	host    int
	victims []*Running
	highest int32
	sum     int64 // of the priorities
}

func (q *search) all(ctx context.Context, _ *Plan) (err error) {
	defer q.blame(&err)
	if err := q.sort(); err != nil {
		return err
	}
	q.start()
	for i := range q.f.hosts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(q.lower[i]) == 0 || !q.room(i) {
			continue
		}
		if err := q.visit(ctx, i); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// room reports whether the resources would do with all lower sets gone. It is
// cheap, and spares asking the plug-ins about most hosts.
func (q *search) room(i int) bool {
	free := q.f.free[i]
	for _, v := range q.lower[i] {
		free = free.Plus(v.Claim.Take)
	}
	return q.req.Set.Need.Fits(free)
}

// visit finds the victims on host i.
func (q *search) visit(ctx context.Context, i int) error {
	q.at, q.was = i, q.f.hosts[i]
	return q.try(ctx, q.order(q.lower[i]), 0)
}

// try offers the host if the set fits with these sets gone. If not, those stay in
// turn that the set has to be near: one for each hard affinity, of which it
// looks at those from the given one on.
func (q *search) try(ctx context.Context, gone []*Running, from int) error {
	q.clear(gone)
	if q.fits() {
		for q.spare() { // again, because a filter may like the fuller host better
		}
		return q.offer()
	}
	rule := q.lonely(from)
	if rule < 0 {
		return ctx.Err()
	}
	for k, v := range gone {
		if v.Claim.Group != q.near[rule].group {
			continue
		}
		if err := q.try(ctx, slices.Concat(gone[:k], gone[k+1:]), rule+1); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// clear takes sets off the host as it was.
func (q *search) clear(gone []*Running) {
	q.now, q.gone = *q.was, gone
	q.now.ownMaps()
	for _, v := range gone {
		q.now.leave(&v.Claim)
	}
}

// order is whom to spare first: a high priority, then those that take least of
// what is needed, which spares the most.
func (q *search) order(sets []*Running) []*Running {
	sets = slices.Clone(sets)
	slices.SortFunc(sets, func(a, b *Running) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(q.portion(a), q.portion(b)),
			strings.Compare(a.Claim.SetID, b.Claim.SetID))
	})
	return sets
}

// portion is what the set takes, in parts of the need.
func (q *search) portion(v *Running) float64 {
	sum := 0.0
	for r, need := range q.req.Set.Need {
		if need > 0 {
			sum += float64(v.Claim.Take[r]) / float64(need)
		}
	}
	return sum
}

// fits asks the filters about the host without those gone.
func (q *search) fits() bool {
	for r, need := range q.req.Set.Need {
		if need > 0 && need > q.f.alloc[q.at][r]-q.now.Used[r] {
			return false // spares asking
		}
	}
	q.replace(q.at, &q.now)
	q.judge(q.at)
	q.replace(q.at, q.was)
	return q.verdict[q.at] == 0
}

// lonely is the first hard affinity that refuses the host without those gone,
// or -1.
func (q *search) lonely(from int) int {
	q.replace(q.at, &q.now)
	defer q.replace(q.at, q.was)
	for k := from; k < len(q.near); k++ {
		if n := &q.near[k]; n.rule.Hard && n.refuses(n.of[q.at]) {
			return k
		}
	}
	return -1
}

// spare puts back whoever can stay, and reports whether there was one.
func (q *search) spare() bool {
	still := make([]*Running, 0, len(q.gone))
	for _, v := range q.gone {
		q.now.comeBack(&v.Claim, q.was)
		if !q.fits() {
			q.now.leave(&v.Claim)
			still = append(still, v)
		}
	}
	spared := len(still) < len(q.gone)
	q.gone = still
	return spared
}

// offer makes those gone the best option if they are.
func (q *search) offer() error {
	o := &option{host: q.at, victims: q.gone, highest: math.MinInt32}
	for _, v := range o.victims {
		o.highest, o.sum = max(o.highest, v.Priority), o.sum+int64(v.Priority)
	}
	if q.found != nil && (o.compare(q.found) > 0 || o.compare(q.found) == 0 && o.host == q.found.host) {
		return nil
	}
	q.replace(q.at, &q.now)
	err := q.look(q.at)
	q.replace(q.at, q.was)
	if err != nil {
		return err
	}
	if q.found == nil || o.compare(q.found) < 0 || q.better(o.host, q.found.host) {
		q.found = o
	}
	return nil
}

func (o *option) compare(p *option) int {
	return cmp.Or(cmp.Compare(o.highest, p.highest), cmp.Compare(len(o.victims), len(p.victims)), cmp.Compare(o.sum, p.sum))
}
