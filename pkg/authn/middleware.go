package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// MaxToken is the longest token looked at, in bytes; Keystone's own are below 300, PKI ones were some thousand.
const MaxToken = 8 << 10

// MiddlewareConfig is the guard of a handler.
type MiddlewareConfig struct {
	Verifier     Verifier
	KeystoneURL  string // named in the challenge of a 401
	AllowUnscope bool   // let tokens without a project pass
}

// Middleware lets only requests with a valid token through. Identity headers a client sends are removed, so
// that nothing behind can take them for the truth.
func Middleware(cfg MiddlewareConfig) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := TokenFromRequest(r)
			id, err := cfg.identify(r, token)
			if err != nil {
				cfg.refuse(w, err)
				return
			}
			r = r.WithContext(NewContext(r.Context(), id, token))
			stripIdentity(r.Header)
			next.ServeHTTP(w, r)
		})
	}
}

// TokenFromRequest returns the token of X-Auth-Token or, failing that, of Authorization: Bearer.
func TokenFromRequest(r *http.Request) string {
	if t := r.Header.Get("X-Auth-Token"); t != "" {
		return t
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

func (cfg MiddlewareConfig) identify(r *http.Request, token string) (*Identity, error) {
	switch {
	case token == "":
		return nil, fmt.Errorf("%w: none came with the request, send one as X-Auth-Token", ErrInvalidToken)
	case len(token) > MaxToken:
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrInvalidToken, MaxToken)
	}
	id, err := cfg.Verifier.Verify(r.Context(), token)
	if err != nil {
		return nil, err
	}
	if id.ProjectID == "" && !cfg.AllowUnscope {
		return nil, fmt.Errorf("%w: ask Keystone for one with a project", ErrUnscoped)
	}
	return id, nil
}

func (cfg MiddlewareConfig) refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, ErrInvalidToken), errors.Is(err, ErrUnscoped):
		w.Header().Set("WWW-Authenticate", fmt.Sprintf("Keystone uri=%q", cfg.KeystoneURL))
		writeError(w, http.StatusUnauthorized, "unauthenticated", err)
	case errors.Is(err, ErrForbidden):
		writeError(w, http.StatusForbidden, "forbidden", err)
	default:
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, "unavailable", err)
	}
}

func writeError(w http.ResponseWriter, status int, code string, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"code": code, "message": err.Error()}})
}

// stripIdentity removes what keystonemiddleware would set, and the token itself.
func stripIdentity(h http.Header) {
	for name := range h {
		for _, prefix := range []string{"X-User", "X-Project", "X-Domain", "X-Tenant", "X-Role", "X-Service-", "X-Identity-", "X-Is-Admin-"} {
			if strings.HasPrefix(name, prefix) {
				delete(h, name)
			}
		}
	}
	h.Del("X-Auth-Token")
	h.Del("Authorization")
}
