package authntest

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"
)

// appCred is an application credential: a secret bound to one user, one project and some of the roles there.
type appCred struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description *string    `json:"description"`
	UserID      string     `json:"user_id"`
	ProjectID   string     `json:"project_id"`
	Roles       []string   `json:"roles"`
	ExpiresAt   *time.Time `json:"expires_at"` // nil: never
	Secret      secret     `json:"secret"`
}

// appCredRequest is the body of a creation.
type appCredRequest struct {
	Cred struct {
		Name, Secret string
		Description  *string
		Roles        []struct{ ID, Name string }
		ExpiresAt    string `json:"expires_at"`
	} `json:"application_credential"`
}

func (k *Keystone) findAppCred(id string) *appCred {
	i := slices.IndexFunc(k.state.AppCreds, func(c *appCred) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return k.state.AppCreds[i]
}

// byAppCred is the token that an application credential opens; its ExpiresAt is only a limit.
func (k *Keystone) byAppCred(id, name, userID, userName, text string) (tokenRecord, bool) {
	for _, c := range k.state.AppCreds {
		byID := id != "" && c.ID == id
		u := k.findUser(c.UserID, "")
		byName := id == "" && c.Name == name && u != nil && (u.ID == userID || u.Name == userName)
		if !(byID || byName) || !c.Secret.matches(text) {
			continue
		}
		t := tokenRecord{UserID: c.UserID, ProjectID: c.ProjectID, AppCred: c.ID}
		if c.ExpiresAt != nil {
			t.ExpiresAt = *c.ExpiresAt
		}
		return t, c.ExpiresAt == nil || k.cfg.Clock().Before(*c.ExpiresAt)
	}
	return tokenRecord{}, false
}

func (k *Keystone) createAppCred(w http.ResponseWriter, r *http.Request) {
	var req appCredRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&req); err != nil || req.Cred.Name == "" {
		fail(w, http.StatusBadRequest, "Expecting to find application_credential with a name in the request body.")
		return
	}
	k.as(w, r, func(caller tokenRecord, roles []string) {
		switch {
		case caller.UserID != r.PathValue("id"), caller.ProjectID == "", caller.AppCred != "": // one credential makes no other
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:create_application_credential.")
			return
		case slices.ContainsFunc(k.state.AppCreds, func(c *appCred) bool { return c.UserID == caller.UserID && c.Name == req.Cred.Name }):
			fail(w, http.StatusConflict, "Conflict occurred attempting to store application_credential - Duplicate entry found with name "+req.Cred.Name+".")
			return
		}
		if req.Cred.Secret == "" {
			req.Cred.Secret = newToken()
		}
		c, err := newAppCred(req, caller, roles)
		if err != nil {
			fail(w, http.StatusBadRequest, err.Error())
			return
		}
		k.state.AppCreds = append(k.state.AppCreds, c)
		body := appCredBody(r, c)
		body["secret"] = req.Cred.Secret // shown this once
		k.stored(w, http.StatusCreated, map[string]any{"application_credential": body})
	})
}

func newAppCred(req appCredRequest, caller tokenRecord, held []string) (*appCred, error) {
	c := &appCred{ID: newID(), Name: req.Cred.Name, Description: req.Cred.Description, UserID: caller.UserID, ProjectID: caller.ProjectID, Roles: held}
	if len(req.Cred.Roles) > 0 {
		c.Roles = nil
	}
	for _, want := range req.Cred.Roles {
		i := slices.IndexFunc(held, func(name string) bool { return name == want.Name || want.ID != "" && roleID(name) == want.ID })
		if i < 0 {
			return nil, errors.New("An application credential can only have roles that its user has on the project.") //nolint:staticcheck // Keystone's style
		}
		c.Roles = append(c.Roles, held[i])
	}
	if req.Cred.ExpiresAt != "" {
		at, err := parseTime(req.Cred.ExpiresAt)
		if err != nil {
			return nil, err
		}
		c.ExpiresAt = &at
	}
	var err error
	c.Secret, err = newSecret(req.Cred.Secret)
	return c, err
}

// parseTime reads a time as clients send it, with or without a zone.
func parseTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	return time.Parse("2006-01-02T15:04:05", text)
}

func appCredBody(r *http.Request, c *appCred) map[string]any {
	var expires any
	if c.ExpiresAt != nil {
		expires = stamp(*c.ExpiresAt)
	}
	return map[string]any{"id": c.ID, "name": c.Name, "project_id": c.ProjectID, "user_id": c.UserID, "roles": roleBodies(c.Roles), "expires_at": expires,
		"unrestricted": false, "description": c.Description, "links": self(r, "users/"+c.UserID+"/application_credentials/"+c.ID)}
}

func (k *Keystone) listAppCreds(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(caller tokenRecord, _ []string) {
		list := []any{}
		for _, c := range k.state.AppCreds {
			name := r.URL.Query().Get("name")
			if c.UserID == caller.UserID && c.UserID == r.PathValue("id") && (name == "" || name == c.Name) {
				list = append(list, appCredBody(r, c))
			}
		}
		write(w, http.StatusOK, map[string]any{"application_credentials": list, "links": map[string]any{}})
	})
}

func (k *Keystone) getAppCred(w http.ResponseWriter, r *http.Request) {
	k.withAppCred(w, r, func(c *appCred) {
		write(w, http.StatusOK, map[string]any{"application_credential": appCredBody(r, c)})
	})
}

func (k *Keystone) deleteAppCred(w http.ResponseWriter, r *http.Request) {
	k.withAppCred(w, r, func(c *appCred) {
		k.state.AppCreds = slices.DeleteFunc(k.state.AppCreds, func(other *appCred) bool { return other == c })
		k.stored(w, http.StatusNoContent, nil)
	})
}

// withAppCred runs do for one of the caller's own application credentials.
func (k *Keystone) withAppCred(w http.ResponseWriter, r *http.Request, do func(*appCred)) {
	k.as(w, r, func(caller tokenRecord, _ []string) {
		c := k.findAppCred(r.PathValue("cred"))
		switch {
		case c == nil || c.UserID != caller.UserID || c.UserID != r.PathValue("id"):
			fail(w, http.StatusNotFound, "Could not find Application Credential: "+r.PathValue("cred")+".")
		case caller.AppCred != "" && r.Method != http.MethodGet:
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:delete_application_credential.")
		default:
			do(c)
		}
	})
}
