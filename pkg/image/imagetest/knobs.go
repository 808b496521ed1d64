package imagetest

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// knobs make the box misbehave and count what it is asked.
type knobs struct {
	down      atomic.Bool
	latency   atomic.Int64
	resets    atomic.Int64
	failAfter atomic.Int64
	writes    atomic.Int64
	requests  atomic.Int64
}

// SetDown makes every request answer 503.
func (k *knobs) SetDown(down bool) { k.down.Store(down) }

// SetLatency delays every answer.
func (k *knobs) SetLatency(d time.Duration) { k.latency.Store(int64(d)) }

// ResetNext breaks the connections of the next n requests without an answer.
func (k *knobs) ResetNext(n int) { k.resets.Store(int64(n)) }

// FailAfter makes the next payload fail with 500 after n bytes; n < 0 takes that back.
func (k *knobs) FailAfter(n int64) { k.failAfter.Store(n + 1) }

// Writes counts the POST, PUT, PATCH and DELETE requests so far.
func (k *knobs) Writes() int { return int(k.writes.Load()) }

// Requests counts all requests so far.
func (k *knobs) Requests() int { return int(k.requests.Load()) }

// interfere says whether it has dealt with the request.
func (k *knobs) interfere(w http.ResponseWriter, r *http.Request) bool {
	k.requests.Add(1)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		k.writes.Add(1)
	}
	if d := k.latency.Load(); d > 0 {
		time.Sleep(time.Duration(d))
	}
	if k.resets.Load() > 0 && k.resets.Add(-1) >= 0 {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	if k.down.Load() {
		writeFault(w, fault{http.StatusServiceUnavailable, "The server is currently unavailable"})
		return true
	}
	return false
}

// failing wraps a payload in the failure that FailAfter asked for, once.
func (k *knobs) failing(r io.Reader) io.Reader {
	if n := k.failAfter.Swap(0); n > 0 {
		return &failingReader{r: r, left: n - 1}
	}
	return r
}

type failingReader struct {
	r    io.Reader
	left int64
}

func (f *failingReader) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, fault{http.StatusInternalServerError, "The store failed"}
	}
	if int64(len(p)) > f.left {
		p = p[:f.left]
	}
	n, err := f.r.Read(p)
	f.left -= int64(n)
	return n, err
}
