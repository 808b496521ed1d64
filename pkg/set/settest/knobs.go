package settest

import (
	"context"
	"sync"
	"time"
)

// Knobs make the fakes misbehave. Methods are named as in "Engine.Prepare", "Images.Ensure",
// "Network.Attach" and "Journal.Save". The zero value is ready to use.
type Knobs struct {
	mu      sync.Mutex
	calls   []string // in order
	fail    map[string]*failure
	blocked map[string]chan struct{}
	latency time.Duration
	broken  *breakdown
}

type failure struct {
	left int
	err  error
}

type breakdown struct {
	from  int
	after bool
	err   error
}

// FailNext makes the next n calls of a method fail with err, without effect. It replaces what was set before.
func (k *Knobs) FailNext(method string, n int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail == nil {
		k.fail = map[string]*failure{}
	}
	k.fail[method] = &failure{n, err}
}

// FailFrom makes call number n of any method, counted from 1 over all of them, and every later one fail
// with err. With effect, call n does its work first: the host died before it could hear so.
func (k *Knobs) FailFrom(n int, effect bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.broken = &breakdown{n, effect, err}
}

// Mend takes back FailNext, FailFrom and latency; calls that are blocked stay so.
func (k *Knobs) Mend() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail, k.broken, k.latency = nil, nil, 0
}

// Block holds every call of a method until release is called or the call's context ends.
func (k *Knobs) Block(method string) (release func()) {
	gate := make(chan struct{})
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.blocked == nil {
		k.blocked = map[string]chan struct{}{}
	}
	k.blocked[method] = gate
	return sync.OnceFunc(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.blocked[method] == gate {
			delete(k.blocked, method)
		}
		close(gate)
	})
}

// SetLatency delays every call.
func (k *Knobs) SetLatency(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.latency = d
}

// Calls counts the calls of a method so far, or of all methods for "".
func (k *Knobs) Calls(method string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	for _, c := range k.calls {
		if method == "" || c == method {
			n++
		}
	}
	return n
}

// do is one call: it counts, waits, and fails if told so; else, or before that, work is done.
func (k *Knobs) do(ctx context.Context, method string, work func() error) error {
	gate, delay, effect, err := k.enter(method)
	if ctxErr := pass(ctx, gate, delay); ctxErr != nil {
		return ctxErr
	}
	if err == nil {
		return work()
	}
	if effect {
		_ = work()
	}
	return err
}

func (k *Knobs) enter(method string) (gate chan struct{}, delay time.Duration, effect bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, method)
	if f := k.fail[method]; f != nil && f.left > 0 {
		f.left--
		err = f.err
	}
	if b := k.broken; b != nil && len(k.calls) >= b.from {
		err, effect = b.err, b.after && len(k.calls) == b.from
	}
	return k.blocked[method], k.latency, effect, err
}

// pass waits for a gate and a delay, but no longer than ctx.
func pass(ctx context.Context, gate chan struct{}, delay time.Duration) error {
	if delay > 0 {
		t := time.NewTimer(delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}
