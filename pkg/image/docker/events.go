package docker

import (
	"sync"
	"time"
)

// Kind says what an Event tells.
type Kind string

// What happens to an image, in this order; layers go side by side.
const (
	Checking    Kind = "checking"    // the registry is asked whether the token may read the image
	Waiting     Kind = "waiting"     // a layer's turn has not come, or another transfer brings it
	Downloading Kind = "downloading" // a layer's bytes come
	Uploading   Kind = "uploading"   // a layer's bytes go
	Unpacking   Kind = "unpacking"   // a layer is written to the engine's disk
	Present     Kind = "present"     // a layer is on the other side already and moves no byte
	Ready       Kind = "ready"       // a layer has ended well
	Retrying    Kind = "retrying"    // the transfer broke off and begins again after Wait
	Complete    Kind = "complete"    // all is there
)

// Event is one piece of news of a push or pull.
type Event struct {
	Kind  Kind
	Layer string // 12 hex digits that name it in this transfer; "" for the whole
	Done  int64  // bytes of the layer, compressed; while it is unpacked, of that
	Total int64  // bytes of the layer; 0 when not known

	AllDone  int64 // bytes of all layers that are known to move
	AllTotal int64

	Attempt int           // Retrying: how many tries there were
	Wait    time.Duration // Retrying
	Cause   error         // Retrying
}

// merges says whether only the newest of such events about a layer matters.
func (e Event) merges() bool {
	return e.Kind == Downloading || e.Kind == Uploading || e.Kind == Unpacking
}

// mailbox hands events to one listener, in order and on a goroutine of its own, so that nobody waits for a listener
// that is slow. Of what a slow one missed, it gets the newest state of each layer, and every other event.
type mailbox struct {
	mu      sync.Mutex
	news    *sync.Cond
	pending []Event
	closed  bool
	done    chan struct{} // closed when the listener has had the last one
}

func newMailbox(listener func(Event)) *mailbox {
	m := &mailbox{done: make(chan struct{})}
	m.news = sync.NewCond(&m.mu)
	if listener == nil {
		m.closed = true
		close(m.done)
		return m
	}
	go m.deliver(listener)
	return m
}

func (m *mailbox) deliver(listener func(Event)) {
	defer close(m.done)
	for {
		m.mu.Lock()
		for len(m.pending) == 0 && !m.closed {
			m.news.Wait()
		}
		batch := m.pending
		m.pending = nil
		m.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for _, e := range batch {
			listener(e)
		}
	}
}

func (m *mailbox) put(e Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.news.Signal()
	if e.merges() {
		for i := range m.pending {
			if m.pending[i].Layer == e.Layer && m.pending[i].Kind == e.Kind {
				m.pending[i] = e
				return
			}
		}
	}
	m.pending = append(m.pending, e)
}

// close waits until the listener has had everything.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed = true
	m.news.Signal()
	m.mu.Unlock()
	<-m.done
}

// tally turns news of layers into events that know the sums.
type tally struct {
	layers      map[string]Event // with bytes to move
	done, total int64
}

// note counts a layer's news and returns it with the sums.
func (t *tally) note(e Event) Event {
	if t.layers == nil {
		t.layers = map[string]Event{}
	}
	old, known := t.layers[e.Layer]
	switch e.Kind {
	case Downloading, Uploading:
		if e.Total > 0 {
			t.done, t.total = t.done+e.Done-old.Done, t.total+e.Total-old.Total
			t.layers[e.Layer] = e
		}
	case Unpacking, Ready:
		if known {
			t.done += old.Total - old.Done
			old.Done = old.Total
			t.layers[e.Layer] = old
		}
		if e.Kind == Ready {
			e.Done, e.Total = old.Total, old.Total
		}
	}
	e.AllDone, e.AllTotal = t.done, t.total
	return e
}
