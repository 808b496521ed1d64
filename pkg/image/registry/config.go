package registry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/moset/moset/pkg/image"
)

// Identity is who a token stands for.
type Identity struct {
	Token     string // as it came; never log it
	UserID    string
	UserName  string
	ProjectID string // "" for a token without a project: it may do nothing but ask whether it is valid
	Project   string // the project's name: first path element of the repositories it owns
	Expires   time.Time
}

// Authenticator verifies tokens. Errors wrap ErrUnauthorized or ErrUnavailable of pkg/image. A valid token without
// a project is no error.
type Authenticator interface {
	Verify(ctx context.Context, token string) (Identity, error)
}

// Issuer exchanges what docker login was told for a token. Errors wrap ErrUnauthorized or ErrUnavailable of pkg/image.
type Issuer interface {
	Issue(ctx context.Context, l Login) (Grant, error)
}

// Login is what docker login was told, taken apart: either user and password or an application credential.
type Login struct {
	User     string
	Domain   string // "" is the default domain
	Password string
	Project  string // name or id; "" is the user's default project, or none

	ApplicationCredentialID     string
	ApplicationCredentialSecret string
}

// Grant is a token and when it ends.
type Grant struct {
	Token   string
	Expires time.Time
}

// Config puts a registry together. Auth and Stores are required.
type Config struct {
	Auth   Authenticator
	Issuer Issuer // nil: no /token, callers bring a token
	// Stores makes the store for one request, bound to the caller's token.
	Stores    func(ctx context.Context, id Identity) (image.Store, error)
	Service   string                      // names the registry to its clients; "" is "moset-registry"
	Realm     string                      // absolute URL of /token; "" is taken from each request's Host
	MaxBlob   int64                       // bytes of the largest blob; 0 is no limit
	UploadTTL time.Duration               // an upload without a request for so long is given up; 0 is 10 minutes
	Uploads   int                         // uploads open at once; 0 is 1000
	Progress  image.Progress              // is told of transfers; may be nil
	Replicas  Replicas                    // the zero value stands alone
	Observe   func(Observation)           // is told of every request when it has ended; may be nil
	Ready     func(context.Context) error // asked by /readyz; nil is always ready
	Log       *slog.Logger                // nil discards
}

// Handler is the registry. Close it to end the uploads that are open.
type Handler struct {
	Config
	uploads  *uploads
	mux      *http.ServeMux
	draining atomic.Bool
	writing  atomic.Int64 // requests that write
	wrote    atomic.Int64 // when the last of them ended, in Unix nanoseconds
}

// New checks c and fills in its defaults. Errors: ErrInvalid of pkg/image.
func New(c Config) (*Handler, error) {
	if c.Auth == nil || c.Stores == nil {
		return nil, fmt.Errorf("%w: a registry needs Auth and Stores", image.ErrInvalid)
	}
	if err := c.Replicas.check(); err != nil {
		return nil, err
	}
	if c.Service == "" {
		c.Service = "moset-registry"
	}
	if c.UploadTTL <= 0 {
		c.UploadTTL = 10 * time.Minute
	}
	if c.Uploads <= 0 {
		c.Uploads = 1000
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{Config: c, mux: http.NewServeMux(), uploads: &uploads{open: map[string]*session{}, ttl: c.UploadTTL, limit: c.Uploads, name: c.Replicas.sessionID, log: c.Log}}
	h.mux.HandleFunc("/v2/", h.serveV2)
	h.mux.HandleFunc("/token", h.serveToken)
	h.mux.HandleFunc("GET /readyz", h.serveReady)
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return h, nil
}

// Close ends all open uploads and removes what they left.
func (h *Handler) Close() error { return h.uploads.closeAll() }
