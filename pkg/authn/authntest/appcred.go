package authntest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// appCred is an application credential: a secret bound to one user and project.
type appCred struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	UserID    string `json:"user_id"`
	ProjectID string `json:"project_id"`
	Secret    secret `json:"secret"`
}

func (k *Keystone) byAppCred(id, name, userID, userName, text string) (*user, string) {
	for _, c := range k.state.AppCreds {
		byID := id != "" && c.ID == id
		u := k.findUser(c.UserID, "")
		byName := id == "" && c.Name == name && u != nil && (u.ID == userID || u.Name == userName)
		if (byID || byName) && c.Secret.matches(text) {
			return u, c.ProjectID
		}
	}
	return nil, ""
}

func (k *Keystone) createAppCred(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Cred struct{ Name, Secret string } `json:"application_credential"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&req); err != nil || req.Cred.Name == "" {
		fail(w, http.StatusBadRequest, "Expecting to find application_credential with a name in the request body.")
		return
	}
	k.as(w, r, func(caller tokenRecord, roles []string) {
		if caller.UserID != r.PathValue("id") || caller.ProjectID == "" {
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:create_application_credential.")
			return
		}
		if req.Cred.Secret == "" {
			req.Cred.Secret = newToken()
		}
		s, err := newSecret(req.Cred.Secret)
		if err != nil {
			fail(w, http.StatusBadRequest, err.Error())
			return
		}
		c := &appCred{ID: newID(), Name: req.Cred.Name, UserID: caller.UserID, ProjectID: caller.ProjectID, Secret: s}
		k.state.AppCreds = append(k.state.AppCreds, c)
		_ = k.save()
		body := appCredBody(c, roles)
		body["secret"] = req.Cred.Secret // shown this once
		write(w, http.StatusCreated, map[string]any{"application_credential": body})
	})
}

func appCredBody(c *appCred, roles []string) map[string]any {
	list := []any{}
	for _, r := range roles {
		list = append(list, map[string]string{"id": tokenHash("role " + r)[:32], "name": r})
	}
	return map[string]any{"id": c.ID, "name": c.Name, "project_id": c.ProjectID, "user_id": c.UserID, "roles": list, "expires_at": nil, "unrestricted": false, "description": nil}
}

func (k *Keystone) listAppCreds(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(caller tokenRecord, roles []string) {
		list := []any{}
		for _, c := range k.state.AppCreds {
			if c.UserID == caller.UserID && c.UserID == r.PathValue("id") {
				list = append(list, appCredBody(c, roles))
			}
		}
		write(w, http.StatusOK, map[string]any{"application_credentials": list, "links": map[string]any{}})
	})
}

func (k *Keystone) deleteAppCred(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(caller tokenRecord, _ []string) {
		before := len(k.state.AppCreds)
		k.state.AppCreds = slices.DeleteFunc(k.state.AppCreds, func(c *appCred) bool {
			return c.ID == r.PathValue("cred") && c.UserID == caller.UserID
		})
		if len(k.state.AppCreds) == before {
			fail(w, http.StatusNotFound, "Could not find Application Credential: "+r.PathValue("cred")+".")
			return
		}
		_ = k.save()
		w.WriteHeader(http.StatusNoContent)
	})
}
