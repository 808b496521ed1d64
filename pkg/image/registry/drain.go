package registry

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// abandoned is after how long without a request Drain takes a client for gone; between two requests of a push there
// are milliseconds.
const abandoned = 5 * time.Second

// betweenWrites is how long a client may take from the last blob of a push to its manifest.
const betweenWrites = time.Second

// Drain prepares the end of the process: no upload begins here any more (another replica takes it; without one the
// answer is 503), and /readyz says no, until the open uploads and the pushes that they belong to have ended, or ctx has. One that its client has left alone for
// a while is not waited for. Draining cannot be taken back.
func (h *Handler) Drain(ctx context.Context) {
	h.draining.Store(true)
	for h.uploads.lively(abandoned) > 0 || h.pushing() {
		select {
		case <-ctx.Done():
			h.Log.Warn("uploads are broken off", "uploads", h.uploads.count())
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// pushing says whether something is being written, or was so lately that more of the same push is likely to come.
func (h *Handler) pushing() bool {
	return h.writing.Load() > 0 || time.Since(time.Unix(0, h.wrote.Load())) < betweenWrites
}

var errDraining = &apiError{
	status: http.StatusServiceUnavailable, code: codeUnavailable, message: "the registry is being stopped, try again soon",
	header: http.Header{"Retry-After": {"1"}},
}

// serveReady answers whether new requests should come here.
func (h *Handler) serveReady(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	if h.Ready != nil {
		if err := h.Ready(r.Context()); err != nil {
			h.Log.WarnContext(r.Context(), "not ready", "error", err)
			http.Error(w, "the image store does not answer", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}
