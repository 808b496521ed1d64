package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/moset/moset/pkg/image"
)

// maxForm bounds the body of POST /token, in bytes.
const maxForm = 64 << 10

// errNobody is a client that asks for a token and says of nobody whose.
var errNobody = fmt.Errorf("%w: no credentials", image.ErrUnauthorized)

// serveToken exchanges name and password for a Keystone token: GET with Basic credentials (distribution, "Token
// Authentication") or POST of a password grant ("OAuth2 Token Authentication").
func (h *Handler) serveToken(w http.ResponseWriter, r *http.Request) {
	g, err := h.token(w, r)
	if err != nil {
		if errors.Is(err, image.ErrUnauthorized) {
			why := "user, password or project is wrong"
			if errors.Is(err, errNobody) {
				why = "nobody is logged in: run docker login first"
			}
			err = errorf(http.StatusUnauthorized, codeUnauthorized, "%s", why)
			w.Header().Set("WWW-Authenticate", fmt.Sprintf("Basic realm=%q", h.Service))
		}
		h.fail(w, r, codes{codeNameUnknown, codeUnauthorized}, err)
		return
	}
	now := time.Now()
	writeJSON(w, http.StatusOK, map[string]any{
		"token": g.Token, "access_token": g.Token,
		"expires_in": int(g.Expires.Sub(now) / time.Second), "issued_at": now.UTC().Format(time.RFC3339),
	})
}

func (h *Handler) token(w http.ResponseWriter, r *http.Request) (Grant, error) {
	if h.Issuer == nil {
		return Grant{}, errorf(http.StatusNotFound, codeUnsupported, "this registry issues no tokens, bring one from Keystone")
	}
	name, password, scopes, err := credentials(w, r)
	if err != nil {
		return Grant{}, err
	}
	return h.issue(r.Context(), parseLogin(name, password), scopeProject(scopes))
}

// credentials takes name, password and scopes out of either form of request.
func credentials(w http.ResponseWriter, r *http.Request) (name, password string, scopes []string, err error) {
	switch r.Method {
	case http.MethodGet:
		var ok bool
		if name, password, ok = r.BasicAuth(); !ok {
			return "", "", nil, errNobody
		}
		return name, password, r.URL.Query()["scope"], nil
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return "", "", nil, errorf(http.StatusBadRequest, codeUnsupported, "the form cannot be read")
		}
		if r.PostForm.Get("grant_type") != "password" {
			return "", "", nil, errorf(http.StatusBadRequest, codeUnsupported, "only the password grant is supported")
		}
		return r.PostForm.Get("username"), r.PostForm.Get("password"), r.PostForm["scope"], nil
	}
	return "", "", nil, errorf(http.StatusMethodNotAllowed, codeUnsupported, "use GET or POST")
}

// issue tries the readings of a login in order. The project is the login's own, else the one the scope asks for.
func (h *Handler) issue(ctx context.Context, readings []Login, project string) (Grant, error) {
	var err error
	for _, l := range readings {
		if l.Project == "" {
			l.Project = project
		}
		if l.User == "" && l.ApplicationCredentialID == "" {
			return Grant{}, fmt.Errorf("%w: no user name", image.ErrUnauthorized)
		}
		var g Grant
		if g, err = h.Issuer.Issue(ctx, l); !errors.Is(err, image.ErrUnauthorized) {
			return g, err
		}
	}
	return Grant{}, err
}
