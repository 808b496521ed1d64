package imagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/moset/moset/pkg/image"
)

// TokenChecker says who a token stands for. ErrUnavailable of pkg/image becomes 503, every other error 401.
type TokenChecker interface {
	Check(ctx context.Context, token string) (Caller, error)
}

// Caller is what Glance needs to know of a token. The role admin sees and may do everything, member writes in its own
// project, any other role only reads.
type Caller struct {
	ProjectID string
	Roles     []string
}

// FixedTokens is a TokenChecker for tests.
type FixedTokens map[string]Caller

// Check implements TokenChecker.
func (f FixedTokens) Check(_ context.Context, token string) (Caller, error) {
	c, ok := f[token]
	if !ok {
		return Caller{}, image.ErrUnauthorized
	}
	return c, nil
}

// GlanceConfig configures the box.
type GlanceConfig struct {
	Tokens TokenChecker // required
	Hash   string       // hashing_algorithm: "sha512" (Glance's default) or "sha256"
	Whole  bool         // payloads go out whole only: a range is 400, as from Glance on Swift
	Dir    string       // keeps records and payloads; "" keeps them in memory
	Log    *slog.Logger // nil discards
}

// Glance is a small Glance: an http.Handler for GET /, /v2/images and what lies below. Mount it at the root.
type Glance struct {
	tokens TokenChecker
	hash   string
	whole  bool
	disk   disk
	log    *slog.Logger
	mux    *http.ServeMux
	knobs

	mu      sync.Mutex
	records map[string]*glanceImage
	used    map[string]bool // ids of deleted images: never again
}

// NewGlance opens the box; with a directory it finds there what an earlier one left. Errors: ErrInvalid.
func NewGlance(c GlanceConfig) (*Glance, error) {
	if c.Tokens == nil {
		return nil, fmt.Errorf("%w: the Glance box needs a token checker", image.ErrInvalid)
	}
	if c.Hash == "" {
		c.Hash = "sha512"
	}
	if c.Hash != "sha256" && c.Hash != "sha512" {
		return nil, fmt.Errorf("%w: the Glance box hashes with sha256 or sha512, not %q", image.ErrInvalid, c.Hash)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	g := &Glance{
		tokens: c.Tokens, hash: c.Hash, whole: c.Whole, disk: disk{dir: c.Dir}, log: c.Log, mux: http.NewServeMux(),
		records: map[string]*glanceImage{}, used: map[string]bool{},
	}
	if err := g.load(); err != nil {
		return nil, fmt.Errorf("open Glance data in %s: %w", c.Dir, err)
	}
	g.routes()
	return g, nil
}

func (g *Glance) routes() {
	g.mux.HandleFunc("GET /{$}", g.versions)
	g.mux.HandleFunc("GET /versions", g.versions)
	g.mux.HandleFunc("GET /v2/schemas/image", g.schema)
	g.mux.HandleFunc("GET /healthcheck", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "OK") })
	for pattern, h := range map[string]func(Caller, *http.Request) (answer, error){
		"GET /v2/images":         g.list,
		"POST /v2/images":        g.create,
		"GET /v2/images/{id}":    g.show,
		"PATCH /v2/images/{id}":  g.patch,
		"DELETE /v2/images/{id}": g.delete,
	} {
		g.mux.HandleFunc(pattern, g.authed(h))
	}
	g.mux.HandleFunc("PUT /v2/images/{id}/file", g.authed(g.upload))
	g.mux.HandleFunc("GET /v2/images/{id}/file", g.download)
}

// ServeHTTP implements http.Handler.
func (g *Glance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.interfere(w, r) {
		return
	}
	g.mux.ServeHTTP(w, r)
}

// Close releases nothing today; the data is on disk after every request.
func (g *Glance) Close() error { return nil }

// answer is what a handler says when it works.
type answer struct {
	status int
	body   any // nil: no body
}

// fault is an answer with a status of 400 and above.
type fault struct {
	status  int
	message string
}

func (f fault) Error() string { return f.message }

func faultf(status int, format string, args ...any) error {
	return fault{status, fmt.Sprintf(format, args...)}
}

func (g *Glance) authed(h func(Caller, *http.Request) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := g.caller(r)
		if err != nil {
			writeFault(w, err)
			return
		}
		a, err := h(c, r)
		if err != nil {
			writeFault(w, err)
			return
		}
		if a.body == nil {
			w.WriteHeader(a.status)
			return
		}
		writeJSON(w, a.status, a.body)
	}
}

func (g *Glance) caller(r *http.Request) (Caller, error) {
	token := r.Header.Get("X-Auth-Token")
	if token == "" {
		return Caller{}, fault{http.StatusUnauthorized, "Authentication required"}
	}
	c, err := g.tokens.Check(r.Context(), token)
	switch {
	case errors.Is(err, image.ErrUnavailable):
		return Caller{}, fault{http.StatusServiceUnavailable, "The identity service does not answer"}
	case err != nil || c.ProjectID == "":
		return Caller{}, fault{http.StatusUnauthorized, "Authentication required"}
	}
	return c, nil
}

func (c Caller) has(role string) bool {
	for _, r := range c.Roles {
		if strings.EqualFold(r, role) {
			return true
		}
	}
	return false
}

func (c Caller) writes() bool { return c.has("member") || c.has("admin") }

func writeFault(w http.ResponseWriter, err error) {
	f := fault{http.StatusInternalServerError, err.Error()}
	errors.As(err, &f)
	w.Header().Set("Content-Type", "text/html; charset=UTF-8") // as Glance does
	w.WriteHeader(f.status)
	fmt.Fprintf(w, "<html><head><title>%d %s</title></head><body><h1>%s</h1></body></html>\n", f.status, http.StatusText(f.status), f.message)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
