package authntest

import (
	"net/http"
	"slices"
)

// validate is GET and HEAD /v3/auth/tokens.
func (k *Keystone) validate(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	caller, ok := k.live(r.Header.Get("X-Auth-Token"))
	if !ok {
		fail(w, http.StatusUnauthorized, "The request you have made requires authentication.")
		return
	}
	own := r.Header.Get("X-Auth-Token") == r.Header.Get("X-Subject-Token")
	roles := k.rolesOf(caller)
	admin := slices.Contains(roles, "admin")
	service := slices.Contains(roles, "service") && r.Method != http.MethodHead
	if !own && !admin && !service {
		fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:validate_token.")
		return
	}
	subject, ok := k.live(r.Header.Get("X-Subject-Token"))
	if !ok && r.URL.Query().Get("allow_expired") == "1" && (admin || service) {
		subject, ok = k.known(r.Header.Get("X-Subject-Token"))
	}
	if !ok {
		fail(w, http.StatusNotFound, "Could not recognize the token.")
		return
	}
	w.Header().Set("X-Subject-Token", r.Header.Get("X-Subject-Token"))
	write(w, http.StatusOK, k.describe(subject, !r.URL.Query().Has("nocatalog")))
}

// revoke is DELETE /v3/auth/tokens.
func (k *Keystone) revoke(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(caller tokenRecord, roles []string) {
		hash := tokenHash(r.Header.Get("X-Subject-Token"))
		subject, ok := k.state.Tokens[hash]
		switch {
		case !ok:
			fail(w, http.StatusNotFound, "Could not recognize the token.")
		case subject.UserID != caller.UserID && !slices.Contains(roles, "admin"):
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:revoke_token.")
		default:
			delete(k.state.Tokens, hash)
			k.stored(w, http.StatusNoContent, nil)
		}
	})
}

func (k *Keystone) catalogOf(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(caller tokenRecord, _ []string) {
		if caller.ProjectID == "" {
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:get_auth_catalog.")
			return
		}
		write(w, http.StatusOK, map[string]any{"catalog": k.catalog(), "links": self(r, "auth/catalog")})
	})
}

// as runs do for a valid caller, with the roles it has; k.mu is held meanwhile.
func (k *Keystone) as(w http.ResponseWriter, r *http.Request, do func(caller tokenRecord, roles []string)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	caller, ok := k.live(r.Header.Get("X-Auth-Token"))
	if !ok {
		fail(w, http.StatusUnauthorized, "The request you have made requires authentication.")
		return
	}
	do(caller, k.rolesOf(caller))
}
