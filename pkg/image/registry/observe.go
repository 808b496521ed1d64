package registry

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// Observation is a finished request, for metrics.
type Observation struct {
	Kind     string // ping, catalog, tags, manifest, referrers, blob, upload, token or other
	Method   string
	Status   int
	Took     time.Duration
	Received int64 // bytes of the body
	Sent     int64 // bytes of the answer
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	body := &counter{ReadCloser: r.Body}
	r.Body = body
	if h.Observe != nil {
		defer func() { // also when the handler breaks the connection off
			h.Observe(Observation{Kind: kindOf(r.URL.Path), Method: r.Method, Status: rec.status, Took: time.Since(start), Received: body.n, Sent: rec.n})
		}()
	}
	h.serve(rec, r)
	h.Log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", rec.status, "took", time.Since(start))
}

// serve takes names as they came: the mux would send a client that writes ".." or "//" elsewhere.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/v2/") {
		h.serveV2(w, r)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// kindOf has few values whatever a stranger asks for.
func kindOf(path string) string {
	if path == "/token" {
		return "token"
	}
	if t, err := parsePath(path); err == nil {
		return t.kind
	}
	return "other"
}

// OpenUploads is the number of uploads under way.
func (h *Handler) OpenUploads() int { return h.uploads.count() }

// recorder remembers the status and counts the bytes of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	n      int64
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.n += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the writer below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// counter counts what is read.
type counter struct {
	io.ReadCloser
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}
