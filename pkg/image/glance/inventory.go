package glance

import (
	"sync"
	"time"
)

// item is what the collector remembers of a record.
type item struct {
	id, owner, kind, was, name string
	digest                     string // of the payload; of a link, the manifest that it is of
	created, updated           time.Time
	size                       int64
	marked, needed             bool
	uses                       []string // manifest: digests it names
	records                    []string // manifest: layer records it names
	subject                    string   // manifest
}

func (i *item) formerKind() string {
	if i.kind == kindGarbage {
		return i.was
	}
	return i.kind
}

// mark is the value of propMarked as far as it matters.
func (i *item) mark() string {
	if i.marked {
		return "yes"
	}
	return ""
}

// inventory is all records and what leads to them. Projects are apart: a manifest needs blobs of its own project.
type inventory struct {
	mu       sync.Mutex // guards the report while records are worked on
	untagged bool       // manifests need something that leads to them
	now      time.Time  // by Glance's clock if it tells the time, before the first record was read
	clocked  bool
	records  map[string]*item
	tagged   map[key]bool    // manifests that tags point at
	byDigest map[key][]*item // payloads, condemned ones too
}

type key struct{ owner, digest string }

func newInventory(untagged bool, now time.Time) *inventory {
	return &inventory{untagged: untagged, now: now, records: map[string]*item{}, tagged: map[key]bool{}, byDigest: map[key][]*item{}}
}

// decide finds out what is needed: manifests first, from the tags or all, then what they name.
func (r *inventory) decide() {
	for _, i := range r.records {
		i.needed = false
	}
	var next []*item
	use := func(i *item) {
		if i != nil && !i.needed {
			i.needed = true
			next = append(next, i)
		}
	}
	referrers := map[key][]*item{}
	for _, i := range r.records {
		switch {
		case i.formerKind() != kindManifest:
		case i.kind == kindManifest && !r.untagged, r.tagged[key{i.owner, i.digest}]:
			use(r.first(i.owner, i.digest))
		}
		if i.formerKind() == kindManifest && i.subject != "" {
			referrers[key{i.owner, i.subject}] = append(referrers[key{i.owner, i.subject}], i)
		}
	}
	for len(next) > 0 {
		i := next[len(next)-1]
		next = next[:len(next)-1]
		for _, id := range i.records {
			use(r.records[id])
		}
		for _, d := range i.uses {
			use(r.first(i.owner, d))
		}
		if i.kind == kindManifest {
			for _, about := range referrers[key{i.owner, i.digest}] {
				use(about)
			}
		}
	}
	for _, i := range r.records {
		if i.formerKind() == kindLink {
			m := r.first(i.owner, i.digest)
			i.needed = m != nil && m.needed
		}
	}
}

// first is the record of a payload that everybody uses: the oldest, and a condemned one only if there is no other.
func (r *inventory) first(owner, d string) *item {
	var best *item
	for _, i := range r.byDigest[key{owner, d}] {
		if best == nil || best.kind == kindGarbage && i.kind != kindGarbage || (best.kind == kindGarbage) == (i.kind == kindGarbage) && before(i, best) {
			best = i
		}
	}
	return best
}

// before is the order of older, for items.
func before(a, b *item) bool {
	return older(record{id: a.id, created: a.created}, record{id: b.id, created: b.created}) < 0
}

// unneeded are the records that nothing leads to.
func (r *inventory) unneeded() []*item {
	return r.filter(func(i *item) bool { return !i.needed })
}

// needed are the records that are marked or condemned and yet needed.
func (r *inventory) needed() []*item {
	return r.filter(func(i *item) bool { return i.needed && (i.marked || i.kind == kindGarbage) })
}

func (r *inventory) filter(want func(*item) bool) []*item {
	var all []*item
	for _, i := range r.records {
		if want(i) {
			all = append(all, i)
		}
	}
	return all
}
