package authntest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// authRequest is the body of POST /v3/auth/tokens.
type authRequest struct {
	Auth struct {
		Identity struct {
			Methods  []string `json:"methods"`
			Password struct {
				User struct {
					ID, Name, Password string
					Domain             domainRef
				} `json:"user"`
			} `json:"password"`
			Token struct {
				ID string `json:"id"`
			} `json:"token"`
			AppCred struct {
				ID, Name, Secret string
				User             struct{ ID, Name string } `json:"user"`
			} `json:"application_credential"`
		} `json:"identity"`
		Scope json.RawMessage `json:"scope"`
	} `json:"auth"`
}

// tokenRecord is an issued token.
type tokenRecord struct {
	UserID    string    `json:"user_id"`
	ProjectID string    `json:"project_id"` // "" for an unscoped token
	Methods   []string  `json:"methods"`
	AppCred   string    `json:"application_credential,omitempty"` // the one it was asked with
	AuditID   string    `json:"audit_id"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (k *Keystone) issue(w http.ResponseWriter, r *http.Request) {
	var req authRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&req); err != nil {
		fail(w, http.StatusBadRequest, "Expecting to find auth in request body.")
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	rec, ok := k.authenticate(req)
	if !ok {
		fail(w, http.StatusUnauthorized, "The request you have made requires authentication.")
		return
	}
	now := k.cfg.Clock().UTC().Truncate(time.Microsecond)
	rec.AuditID, rec.IssuedAt = newToken()[:22], now
	if end := now.Add(k.cfg.TokenTTL); rec.ExpiresAt.IsZero() || end.Before(rec.ExpiresAt) {
		rec.ExpiresAt = end
	}
	token := newToken()
	k.prune(now)
	k.state.Tokens[tokenHash(token)] = rec
	if err := k.save(); err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("X-Subject-Token", token)
	write(w, http.StatusCreated, k.describe(rec, !r.URL.Query().Has("nocatalog")))
}

// authenticate makes the token that a request asks for; k.mu is held.
func (k *Keystone) authenticate(req authRequest) (tokenRecord, bool) {
	t, ok := k.prove(req)
	if !ok {
		return t, false
	}
	project := ""
	if t.AppCred != "" {
		project = t.ProjectID // it brings its own, and opens no other
	}
	if len(req.Auth.Scope) > 0 && string(req.Auth.Scope) != "null" {
		if project, ok = k.scopeOf(req.Auth.Scope); !ok || t.AppCred != "" && project != t.ProjectID {
			return t, false
		}
	}
	t.ProjectID, t.Methods = project, req.Auth.Identity.Methods
	return t, k.stands(t)
}

// prove finds whom the credentials belong to. ExpiresAt is the latest end of a token made of them, if set.
func (k *Keystone) prove(req authRequest) (tokenRecord, bool) {
	in := req.Auth.Identity
	if len(in.Methods) != 1 {
		return tokenRecord{}, false
	}
	switch in.Methods[0] {
	case "password":
		p := in.Password.User
		u := k.findUser(p.ID, p.Name)
		if u == nil || p.ID == "" && !p.Domain.isDefault() || !u.Password.matches(p.Password) {
			return tokenRecord{}, false
		}
		return tokenRecord{UserID: u.ID}, true
	case "token": // the new one ends when the old one does
		t, ok := k.live(in.Token.ID)
		return t, ok
	case "application_credential":
		return k.byAppCred(in.AppCred.ID, in.AppCred.Name, in.AppCred.User.ID, in.AppCred.User.Name, in.AppCred.Secret)
	}
	return tokenRecord{}, false
}

// domainRef names a domain; the box has only one.
type domainRef struct{ ID, Name string }

func (d domainRef) isDefault() bool {
	return (d.ID == "" || d.ID == "default") && (d.Name == "" || strings.EqualFold(d.Name, "default"))
}

// scopeOf reads the scope: a project by id or name, or "unscoped".
func (k *Keystone) scopeOf(raw json.RawMessage) (string, bool) {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		return "", word == "unscoped"
	}
	var scope struct {
		Project *struct {
			ID, Name string
			Domain   domainRef
		} `json:"project"`
	}
	if json.Unmarshal(raw, &scope) != nil || scope.Project == nil || scope.Project.ID == "" && !scope.Project.Domain.isDefault() {
		return "", false
	}
	p := k.findProject(scope.Project.ID, scope.Project.Name)
	if p == nil {
		return "", false
	}
	return p.ID, true
}

// live finds a token that is neither unknown, nor ended, nor expired; k.mu is held.
func (k *Keystone) live(token string) (tokenRecord, bool) {
	t, ok := k.known(token)
	return t, ok && k.cfg.Clock().Before(t.ExpiresAt)
}

// known finds a token that may be expired; k.mu is held.
func (k *Keystone) known(token string) (tokenRecord, bool) {
	t, ok := k.state.Tokens[tokenHash(token)]
	return t, ok && k.stands(t)
}

// stands reports whether the user of a token may still be where it leads.
func (k *Keystone) stands(t tokenRecord) bool {
	u := k.findUser(t.UserID, "")
	if u == nil || u.Disabled || t.AppCred != "" && k.findAppCred(t.AppCred) == nil {
		return false
	}
	return t.ProjectID == "" || len(k.rolesOf(t)) > 0 && k.findProject(t.ProjectID, "") != nil
}

// rolesOf is what the user may do in the token's project, less what its application credential leaves out.
func (k *Keystone) rolesOf(t tokenRecord) []string {
	roles := k.findUser(t.UserID, "").Roles[t.ProjectID]
	c := k.findAppCred(t.AppCred)
	if c == nil {
		return roles
	}
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return !slices.Contains(c.Roles, r) })
}

func roleID(name string) string { return tokenHash("role " + name)[:32] }

func roleBodies(names []string) []map[string]string {
	list := []map[string]string{}
	for _, r := range names {
		list = append(list, map[string]string{"id": roleID(r), "name": r})
	}
	return list
}

// prune forgets tokens that expired a day ago.
func (k *Keystone) prune(now time.Time) {
	for h, t := range k.state.Tokens {
		if now.Sub(t.ExpiresAt) > 24*time.Hour {
			delete(k.state.Tokens, h)
		}
	}
}

// describe is the body of a token; k.mu is held.
func (k *Keystone) describe(t tokenRecord, withCatalog bool) map[string]any {
	u := k.findUser(t.UserID, "")
	domain := map[string]string{"id": "default", "name": "Default"}
	body := map[string]any{
		"methods": t.Methods, "audit_ids": []string{t.AuditID},
		"issued_at": stamp(t.IssuedAt), "expires_at": stamp(t.ExpiresAt),
		"user": map[string]any{"id": u.ID, "name": u.Name, "domain": domain, "password_expires_at": nil},
	}
	if t.ProjectID != "" {
		p := k.findProject(t.ProjectID, "")
		body["project"] = map[string]any{"id": p.ID, "name": p.Name, "domain": domain}
		body["is_domain"] = false
		body["roles"] = roleBodies(k.rolesOf(t))
		if withCatalog {
			body["catalog"] = k.catalog()
		}
	}
	return map[string]any{"token": body}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func (k *Keystone) catalog() []any {
	var types []string
	for t := range k.cfg.Endpoints {
		types = append(types, t)
	}
	slices.Sort(types)
	names := map[string]string{"identity": "keystone", "image": "glance", "container-set": "moset", "container-registry": "registry"}
	list := []any{}
	for _, t := range types {
		var endpoints []any
		for _, face := range []string{"public", "internal", "admin"} {
			endpoints = append(endpoints, map[string]string{"id": tokenHash(t + face)[:32], "interface": face,
				"region": k.cfg.Region, "region_id": k.cfg.Region, "url": k.cfg.Endpoints[t]})
		}
		list = append(list, map[string]any{"id": tokenHash(t)[:32], "type": t, "name": names[t], "endpoints": endpoints})
	}
	return list
}
