package docker

import "sync"

// loads are the layers that are on their way, by chain id: two images on one missing base fetch it once.
type loads struct {
	mu sync.Mutex
	on map[string]chan struct{} // closed when its load has ended
}

// begin takes the layers of a chain upon the caller until end; or, when the lowest of them is on its way already,
// returns what to wait for. A chain id stands for all layers below it, so the lowest decides.
func (l *loads) begin(chain []string) (other <-chan struct{}, end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(chain) == 0 {
		return nil, func() {}
	}
	if on := l.on[chain[0]]; on != nil {
		return on, nil
	}
	if l.on == nil {
		l.on = map[string]chan struct{}{}
	}
	mine := make(chan struct{})
	for _, id := range chain {
		l.on[id] = mine
	}
	return nil, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, id := range chain {
			delete(l.on, id)
		}
		close(mine)
	}
}
