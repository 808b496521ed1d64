package authntest

import (
	"encoding/json"
	"net/http"
	"slices"
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
	u, scope, ok := k.authenticate(req)
	if !ok {
		fail(w, http.StatusUnauthorized, "The request you have made requires authentication.")
		return
	}
	now := k.cfg.Clock().UTC().Truncate(time.Microsecond)
	rec := tokenRecord{UserID: u.ID, ProjectID: scope, Methods: req.Auth.Identity.Methods, AuditID: newToken()[:22], IssuedAt: now, ExpiresAt: now.Add(k.cfg.TokenTTL)}
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

// authenticate finds the user and the project id of the scope; k.mu is held.
func (k *Keystone) authenticate(req authRequest) (*user, string, bool) {
	in := req.Auth.Identity
	if len(in.Methods) != 1 {
		return nil, "", false
	}
	var u *user
	bound := "" // project that the method itself brings
	switch in.Methods[0] {
	case "password":
		u = k.findUser(in.Password.User.ID, in.Password.User.Name)
		if u == nil || !u.Password.matches(in.Password.User.Password) {
			return nil, "", false
		}
	case "token":
		t, ok := k.live(in.Token.ID)
		if !ok {
			return nil, "", false
		}
		u, bound = k.findUser(t.UserID, ""), t.ProjectID
	case "application_credential":
		if u, bound = k.byAppCred(in.AppCred.ID, in.AppCred.Name, in.AppCred.User.ID, in.AppCred.User.Name, in.AppCred.Secret); u == nil {
			return nil, "", false
		}
	}
	if u == nil || u.Disabled {
		return nil, "", false
	}
	project, ok := k.scopeOf(req.Auth.Scope, bound)
	if !ok || project != "" && len(u.Roles[project]) == 0 {
		return nil, "", false
	}
	return u, project, true
}

// scopeOf reads the scope: a project by id or name, "unscoped", or none.
func (k *Keystone) scopeOf(raw json.RawMessage, bound string) (string, bool) {
	var word string
	if len(raw) == 0 || string(raw) == "null" {
		return bound, true
	}
	if json.Unmarshal(raw, &word) == nil {
		return "", word == "unscoped"
	}
	var scope struct {
		Project *struct{ ID, Name string } `json:"project"`
	}
	if json.Unmarshal(raw, &scope) != nil || scope.Project == nil {
		return "", false
	}
	p := k.findProject(scope.Project.ID, scope.Project.Name)
	if p == nil {
		return "", false
	}
	return p.ID, true
}

// live finds a token that is neither unknown nor expired; k.mu is held.
func (k *Keystone) live(token string) (tokenRecord, bool) {
	t, ok := k.state.Tokens[tokenHash(token)]
	if !ok || !k.cfg.Clock().Before(t.ExpiresAt) {
		return t, false
	}
	u := k.findUser(t.UserID, "")
	if u == nil || u.Disabled || t.ProjectID != "" && len(u.Roles[t.ProjectID]) == 0 {
		return t, false
	}
	return t, true
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
		roles := []map[string]string{}
		for _, r := range u.Roles[t.ProjectID] {
			roles = append(roles, map[string]string{"id": tokenHash("role " + r)[:32], "name": r})
		}
		body["roles"] = roles
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
