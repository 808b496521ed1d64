package glance

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	cacheIDs      = 8192     // found record ids kept, per generation
	cacheRecords  = 2048     // records seen lately, per generation
	cacheBodies   = 128      // manifests and configs kept, per generation
	cacheBodySize = 64 << 10 // bytes of the largest manifest kept
)

// Cache remembers where blobs were found, the bytes of manifests, and how Glance hashes. What it remembers is
// confirmed by Glance with the caller's token, at the latest before a push is told yes, so it decides speed and nothing
// else. The zero value is ready; share one among all stores of one Glance. At most some 25 MB.
type Cache struct {
	mu     sync.Mutex
	algo   string
	ids    generations[string]
	bodies generations[[]byte]
	seen   generations[sighting]

	noRanges atomic.Bool // the store behind Glance sends whole payloads only
	commits  keyedMutex  // by digest: uploads of the same bytes end one after the other
}

// hashAlgo is what Glance hashes with, "" while unknown.
func (c *Cache) hashAlgo() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.algo
}

// learn takes the hash algorithm from a record that has one.
func (c *Cache) learn(r record) {
	if r.hashAlgo == "" {
		return
	}
	c.mu.Lock()
	c.algo = r.hashAlgo
	c.mu.Unlock()
}

func (c *Cache) id(key string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ids.get(key, cacheIDs)
}

// sighting is a record as Glance showed it to a token of the project in the key.
type sighting struct {
	record
	at time.Time
}

// saw remembers a committed blob or manifest, and where it is.
func (c *Cache) saw(key string, r record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids.put(key, r.id, cacheIDs)
	c.seen.put(key, sighting{r, time.Now()}, cacheRecords)
}

// lately returns a record that was seen not longer ago than within.
func (c *Cache) lately(key string, within time.Duration) (record, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.seen.get(key, cacheRecords)
	return s.record, s.id != "" && time.Since(s.at) < within
}

func (c *Cache) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids.put(key, "", cacheIDs)
	c.seen.put(key, sighting{}, cacheRecords)
}

func (c *Cache) body(digest string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bodies.get(digest, cacheBodies)
}

func (c *Cache) setBody(digest string, b []byte) {
	if len(b) > cacheBodySize {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies.put(digest, b, cacheBodies)
}

// generations forgets by halves: what was not used while a whole generation filled up goes.
type generations[V any] struct{ young, old map[string]V }

func (g *generations[V]) get(key string, limit int) V {
	v, ok := g.young[key]
	if !ok {
		if v, ok = g.old[key]; ok {
			g.put(key, v, limit)
		}
	}
	return v
}

func (g *generations[V]) put(key string, v V, limit int) {
	if g.young == nil || len(g.young) >= limit {
		g.old, g.young = g.young, make(map[string]V)
	}
	g.young[key] = v
}

// keyedMutex is a mutex for each key.
type keyedMutex struct {
	mu   sync.Mutex
	held map[string]*waitedMutex
}

type waitedMutex struct {
	sync.Mutex
	users int
}

// lock waits for the key and returns what gives it back.
func (k *keyedMutex) lock(key string) (unlock func()) {
	k.mu.Lock()
	if k.held == nil {
		k.held = map[string]*waitedMutex{}
	}
	m := k.held[key]
	if m == nil {
		m = new(waitedMutex)
		k.held[key] = m
	}
	m.users++
	k.mu.Unlock()
	m.Lock()
	return func() {
		m.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if m.users--; m.users == 0 {
			delete(k.held, key)
		}
	}
}
