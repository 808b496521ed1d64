// Package api is the region's HTTP face: the native API under /v1, for tenants behind Keystone tokens and
// for hosts behind the proof that region and hosts share (authn.Peer).
//
// Besides the resources of package setapi:
//
//	GET    /v1/hosts                                    hosts, for admins
//	POST   /v1/hosts/{name}/cordon, /uncordon           for admins
//	PUT    /v1/hosts/{name}                             a host's report, with its proof
//	POST   /v1/images/prefetch                          bring an image to hosts, for admins
//	POST   /v1/servers/forecast                         how many more servers of a spec would fit, and why not more
//	GET    /v1/networks                                 the project's networks
//	POST   /v1/networks                                 make one: name, cidr
//	GET    /v1/networks/{ref}                           one, by name or id
//	DELETE /v1/networks/{ref}
//	GET    /v1/networks/{ref}/reservations              addresses held for what the region does not run
//	PUT    /v1/networks/{ref}/reservations/{name}
//	DELETE /v1/networks/{ref}/reservations/{name}
//	GET    /healthz
package api

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/internal/errkind"
	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
)

// Config composes the handler. All but Policy and Logger are needed.
type Config struct {
	Controller  *controller.Controller
	Networks    *ipam.IPAM
	Verifier    authn.Verifier // put authn.NewCached before Keystone
	KeystoneURL string
	Hosts       authn.Peer // how hosts prove who they are
	Policy      authn.Policy
	Logger      *slog.Logger // nil discards
}

// New returns the handler.
func New(cfg Config) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := handler{cfg}
	tenants := http.NewServeMux()
	servers := setapi.ControllerHandler(h.controllerFor)
	for _, route := range setapi.Routes() { // each by itself, so that what is left gets an error body
		tenants.Handle(route, servers)
	}
	h.hosts(tenants)
	tenants.HandleFunc("POST /v1/images/prefetch", h.prefetch)
	tenants.HandleFunc("POST /v1/servers/forecast", h.forecast)
	h.networks(tenants)
	tenants.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		setapi.WriteError(w, fmt.Errorf("%w: this API has no %s %s", set.ErrNotFound, r.Method, r.URL.Path))
	})
	guard := authn.Middleware(authn.MiddlewareConfig{Verifier: cfg.Verifier, KeystoneURL: cfg.KeystoneURL})
	mux := http.NewServeMux()
	mux.Handle("PUT /v1/hosts/{name}", cfg.Hosts.Middleware(http.HandlerFunc(h.heartbeat)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("/", guard(tenants))
	return h.observe(mux)
}

type handler struct{ cfg Config }

var policyErrors = errkind.Map{{From: authn.ErrForbidden, To: set.ErrForbidden}}

// caller is who sent a request that passed the guard.
func (h handler) caller(r *http.Request) (controller.Caller, *authn.Identity, error) {
	id, ok := authn.FromContext(r.Context())
	if !ok {
		return controller.Caller{}, nil, set.ErrUnauthenticated
	}
	if err := h.cfg.Policy.Allow(id, authn.Read); err != nil {
		return controller.Caller{}, nil, policyErrors.Translate(err)
	}
	return controller.Caller{
		ProjectID: id.ProjectID, ProjectName: id.ProjectName, UserID: id.UserID,
		Admin:     h.cfg.Policy.Allow(id, authn.Admin) == nil,
		ReadOnly:  h.cfg.Policy.Allow(id, authn.Write) != nil,
		Token:     set.Secret(authn.TokenFromContext(r.Context())),
		RequestID: requestID(r),
	}, id, nil
}

func (h handler) controllerFor(r *http.Request) (set.Controller, error) {
	c, _, err := h.caller(r)
	if err != nil {
		return nil, err
	}
	return h.cfg.Controller.For(c), nil
}

const requestHeader = "X-Openstack-Request-Id"

func requestID(r *http.Request) string { return r.Header.Get(requestHeader) }

// observe gives every request an id and a line in the log. Tokens are in headers, so no line holds one.
func (h handler) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 16)
		_, _ = rand.Read(b) // never fails
		id := "req-" + hex.EncodeToString(b)
		r.Header.Set(requestHeader, id)
		w.Header().Set(requestHeader, id)
		rec := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		begun := time.Now()
		next.ServeHTTP(rec, r)
		h.cfg.Logger.Debug("request", "method", r.Method, "path", r.URL.Path, "status", rec.status, "took", time.Since(begun), "id", id)
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// reply sends v, or err with its status.
func reply(w http.ResponseWriter, status int, v any, err error) {
	if err != nil {
		setapi.WriteError(w, err)
		return
	}
	if v == nil {
		w.WriteHeader(status)
		return
	}
	httpjson.Write(w, status, v)
}
