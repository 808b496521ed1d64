package registry

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/moset/moset/pkg/image"
)

// maxToken bounds the tokens that are verified at all, in bytes; Keystone's are some 200.
const maxToken = 8 << 10

// identify verifies the bearer token of a request. Below /v2/ a token needs a project, except to ask whether it is valid.
func (h *Handler) identify(c *call) (Identity, error) {
	token, found := bearer(c.r)
	if !found {
		h.challenge(c.w, c.r, "")
		return Identity{}, errorf(http.StatusUnauthorized, codeUnauthorized, "log in with docker login, or send a Keystone token as bearer token")
	}
	if len(token) > maxToken {
		return Identity{}, fmt.Errorf("%w: the token is too long", image.ErrUnauthorized)
	}
	id, err := h.Auth.Verify(c.r.Context(), token)
	if err != nil {
		return Identity{}, fmt.Errorf("verify token: %w", err)
	}
	if id.ProjectID == "" && c.kind != kindPing {
		h.challenge(c.w, c.r, "insufficient_scope")
		return Identity{}, errorf(http.StatusUnauthorized, codeUnauthorized, "the token is for no project: log in as user/project")
	}
	id.Token = token
	return id, nil
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, found && strings.EqualFold(scheme, "Bearer") && token != ""
}

// challenge tells the client where tokens are to be had (distribution, "Token Authentication").
func (h *Handler) challenge(w http.ResponseWriter, r *http.Request, why string) {
	v := fmt.Sprintf("Bearer realm=%q,service=%q", h.realm(r), h.Service)
	if t, err := parsePath(r.URL.Path); err == nil && t.repo != "" {
		v += fmt.Sprintf(",scope=%q", "repository:"+t.repo+":"+actions(r.Method))
	}
	if why != "" {
		v += fmt.Sprintf(",error=%q", why)
	}
	w.Header().Set("WWW-Authenticate", v)
}

func actions(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "pull"
	case http.MethodDelete:
		return "delete"
	}
	return "pull,push"
}

func (h *Handler) realm(r *http.Request) string {
	if h.Realm != "" {
		return h.Realm
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/token"
}
