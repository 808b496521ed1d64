package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/set"
)

// HostReport is what a host says of itself, every few seconds.
type HostReport struct {
	Name     string            `json:"name"`
	URL      string            `json:"url"` // of its set.Agent API
	Labels   map[string]string `json:"labels,omitempty"`
	Rack     string            `json:"rack,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Capacity set.Resources     `json:"capacity"` // what it may give to servers
	Ready    bool              `json:"ready"`
	Reason   string            `json:"reason,omitempty"` // why it is not ready, one sentence
	Layers   string            `json:"layers,omitempty"` // changes with the image layers that it holds; "" when it does not say
}

// Host is a host as the region knows it.
type Host struct {
	HostReport
	Cordoned bool          `json:"cordoned,omitempty"` // an operator's wish: takes no new servers
	LastSeen time.Time     `json:"last_seen,omitzero"`
	Used     set.Resources `json:"used"`    // given to servers
	Servers  int           `json:"servers"` // that hold a share of it

	layers map[string]bool // chain ids; never changed in place
}

// hostLink is the region's connection to one host.
type hostLink struct {
	mu    sync.Mutex
	host  Host
	agent set.Agent
	stop  context.CancelFunc
}

func (l *hostLink) get() Host {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.host
}

// Heartbeat registers a host or renews what is known of it. Errors: set.ErrInvalid.
func (c *Controller) Heartbeat(ctx context.Context, r HostReport) error {
	if r.Name == "" || r.URL == "" || len(r.Name) > 63 || strings.ContainsAny(r.Name, "/ \n") {
		return &set.Error{Op: "heartbeat", ID: r.Name, Err: fmt.Errorf("%w: a host needs a name without slashes and spaces, and a URL", set.ErrInvalid)}
	}
	c.hostRecords.Lock()
	defer c.hostRecords.Unlock()
	c.mu.Lock()
	l, known := c.hosts[r.Name]
	c.mu.Unlock()
	h := Host{HostReport: r}
	if known {
		old := l.get()
		h.Cordoned, h.layers = old.Cordoned, old.layers
		if same(old.HostReport, r) {
			if r.Layers != "" && old.layers == nil { // it did not answer when it was asked
				c.work.Go(func() { c.learnLayers(r.Name) })
			}
			return c.seen(l)
		}
	}
	var t store.Txn
	t.Put(hostKey(r.Name), encode(h))
	if _, err := c.cfg.Store.Commit(ctx, t); err != nil {
		return wrap("heartbeat", r.Name, unavailable(err))
	}
	h.LastSeen = time.Now().UTC()
	if err := c.follow(h); err != nil {
		return wrap("heartbeat", r.Name, err)
	}
	c.begun.heard(r.Name, h.LastSeen)
	c.work.Go(func() { c.learnLayers(r.Name) })
	return nil
}

func same(a, b HostReport) bool { return string(encode(a)) == string(encode(b)) }

func (c *Controller) seen(l *hostLink) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.host.LastSeen = time.Now().UTC()
	return nil
}

// follow connects to a host, or updates the connection, and tells the scheduler.
func (c *Controller) follow(h Host) error {
	if err := c.ledger.Put(schedHost(h)); err != nil {
		return fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l, known := c.hosts[h.Name]
	if known && l.get().URL == h.URL {
		l.mu.Lock()
		l.host = h
		l.mu.Unlock()
		return nil
	}
	if known {
		l.stop()
	}
	agent, err := c.cfg.Dial(h)
	if err != nil {
		return fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	agent = guarded{Agent: agent, host: h.Name, limit: c.cfg.HostCall}
	ctx, stop := context.WithCancel(c.ctx)
	c.hosts[h.Name] = &hostLink{host: h, agent: agent, stop: stop}
	c.work.Go(func() { c.watch(ctx, h.Name, agent) })
	return nil
}

// watch feeds one host's observations into the records until the link ends.
func (c *Controller) watch(ctx context.Context, host string, agent set.Agent) {
	for wait := 100 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 2*time.Second) {
		first := true
		for o, err := range agent.Watch(ctx) {
			if err == nil && first {
				c.retryHost(host) // who waited for it need not wait longer
			}
			if err == nil {
				first, wait = false, 100*time.Millisecond
				err = c.observe(host, o)
			}
			if err != nil && ctx.Err() == nil {
				c.cfg.Logger.Warn("watching a host broke off, will try again", "host", host, "error", err)
				break
			}
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// agent of a host. Errors: set.ErrUnavailable.
func (c *Controller) agent(host string) (set.Agent, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.hosts[host]
	if !ok {
		return nil, fmt.Errorf("%w: host %s has not reported", set.ErrUnavailable, host)
	}
	return l.agent, nil
}

// schedHost is a host as the scheduler sees it.
func schedHost(h Host) sched.Host {
	s := sched.Host{ID: h.Name, Rack: h.Rack, Zone: h.Zone, Labels: map[string]string{},
		Capacity: sched.Vector{sched.CPU: int64(h.Capacity.CPU), sched.Memory: int64(h.Capacity.Memory), sched.Pids: h.Capacity.Pids},
		Layers:   h.layers}
	for k, v := range h.Labels {
		s.Labels[k] = v
	}
	delete(s.Labels, LabelNotReady)
	if !h.Ready {
		s.Labels[LabelNotReady] = h.Reason
	}
	if h.Cordoned {
		s.State = sched.Cordoned
	}
	return s
}

// checkSilence marks hosts that did not report for HostTimeout.
func (c *Controller) checkSilence(now time.Time) {
	c.mu.Lock()
	links := make([]*hostLink, 0, len(c.hosts))
	for _, l := range c.hosts {
		links = append(links, l)
	}
	c.mu.Unlock()
	for _, l := range links {
		l.mu.Lock()
		h := l.host
		silent := h.Ready && now.Sub(h.LastSeen) > c.cfg.HostTimeout
		if silent {
			l.host.Ready, l.host.Reason = false, fmt.Sprintf("has not reported for %s", c.cfg.HostTimeout)
			h = l.host
		}
		l.mu.Unlock()
		if silent {
			c.cfg.Logger.Warn("a host fell silent", "host", h.Name)
			_ = c.ledger.Put(schedHost(h)) // the same host as before, so it is valid
		}
	}
}

// present adds the region's own judgement to a record.
func (c *Controller) present(s set.Server) set.Server {
	s.Presence = set.PresenceKnown
	if s.Host == "" {
		return s
	}
	c.mu.Lock()
	l, ok := c.hosts[s.Host]
	c.mu.Unlock()
	if !ok || time.Since(l.get().LastSeen) > c.cfg.HostTimeout {
		s.Presence = set.PresenceUnknown
	}
	return s
}

// Hosts lists the hosts by name, with what is given away of each.
func (c *Controller) Hosts() []Host {
	c.mu.Lock()
	list := make([]Host, 0, len(c.hosts))
	for _, l := range c.hosts {
		list = append(list, l.get())
	}
	c.mu.Unlock()
	slices.SortFunc(list, func(a, b Host) int { return strings.Compare(a.Name, b.Name) })
	for _, claim := range c.ledger.Claims() {
		i, ok := slices.BinarySearchFunc(list, claim.HostID, func(h Host, name string) int { return strings.Compare(h.Name, name) })
		if ok {
			u := &list[i].Used
			u.CPU += set.MilliCPU(claim.Take[sched.CPU])
			u.Memory += set.Bytes(claim.Take[sched.Memory])
			u.Pids += claim.Take[sched.Pids]
			list[i].Servers++
		}
	}
	return list
}

// Cordon says whether a host takes new servers. Errors: set.ErrNotFound.
func (c *Controller) Cordon(ctx context.Context, name string, cordoned bool) (Host, error) {
	c.hostRecords.Lock()
	defer c.hostRecords.Unlock()
	c.mu.Lock()
	l, ok := c.hosts[name]
	c.mu.Unlock()
	if !ok {
		return Host{}, wrap("cordon host", name, fmt.Errorf("%w: no host of that name has reported", set.ErrNotFound))
	}
	h := l.get()
	h.Cordoned = cordoned
	var t store.Txn
	t.Put(hostKey(name), encode(h))
	if _, err := c.cfg.Store.Commit(ctx, t); err != nil {
		return h, wrap("cordon host", name, unavailable(err))
	}
	l.mu.Lock()
	l.host.Cordoned = cordoned
	l.mu.Unlock()
	err := c.ledger.Put(schedHost(h))
	if errors.Is(err, sched.ErrInvalid) {
		err = fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	return h, wrap("cordon host", name, err)
}
