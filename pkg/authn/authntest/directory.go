package authntest

import (
	"net/http"
	"slices"
)

func projectBody(r *http.Request, p *project) map[string]any {
	return map[string]any{"id": p.ID, "name": p.Name, "domain_id": "default", "parent_id": "default", "enabled": true, "is_domain": false, "description": "", "tags": []string{}, "options": map[string]any{}, "links": self(r, "projects/"+p.ID)}
}

func userBody(r *http.Request, u *user) map[string]any {
	return map[string]any{"id": u.ID, "name": u.Name, "domain_id": "default", "enabled": !u.Disabled, "options": map[string]any{}, "password_expires_at": nil, "links": self(r, "users/"+u.ID)}
}

var defaultDomain = map[string]any{"id": "default", "name": "Default", "enabled": true, "description": "The default domain", "options": map[string]any{}, "links": map[string]string{"self": "/v3/domains/default"}}

// ownProjects is GET /v3/auth/projects and /v3/users/{id}/projects: where the caller has a role.
func (k *Keystone) ownProjects(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(caller tokenRecord, _ []string) {
		list := []any{}
		for _, p := range k.state.Projects {
			if len(k.findUser(caller.UserID, "").Roles[p.ID]) > 0 {
				list = append(list, projectBody(r, p))
			}
		}
		write(w, http.StatusOK, map[string]any{"projects": list, "links": map[string]any{}})
	})
}

// listProjects is for admins.
func (k *Keystone) listProjects(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(_ tokenRecord, roles []string) {
		if !slices.Contains(roles, "admin") {
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:list_projects.")
			return
		}
		list := []any{}
		for _, p := range k.state.Projects {
			if name := r.URL.Query().Get("name"); name == "" || name == p.Name {
				list = append(list, projectBody(r, p))
			}
		}
		write(w, http.StatusOK, map[string]any{"projects": list, "links": map[string]any{}})
	})
}

func (k *Keystone) getProject(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(caller tokenRecord, roles []string) {
		p := k.findProject(r.PathValue("id"), "")
		switch {
		case p == nil:
			fail(w, http.StatusNotFound, "Could not find project: "+r.PathValue("id")+".")
		case p.ID != caller.ProjectID && !slices.Contains(roles, "admin"):
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:get_project.")
		default:
			write(w, http.StatusOK, map[string]any{"project": projectBody(r, p)})
		}
	})
}

func (k *Keystone) listUsers(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(_ tokenRecord, roles []string) {
		if !slices.Contains(roles, "admin") {
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:list_users.")
			return
		}
		list := []any{}
		for _, u := range k.state.Users {
			if name := r.URL.Query().Get("name"); name == "" || name == u.Name {
				list = append(list, userBody(r, u))
			}
		}
		write(w, http.StatusOK, map[string]any{"users": list, "links": map[string]any{}})
	})
}

func (k *Keystone) getUser(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(caller tokenRecord, roles []string) {
		u := k.findUser(r.PathValue("id"), "")
		switch {
		case u == nil:
			fail(w, http.StatusNotFound, "Could not find user: "+r.PathValue("id")+".")
		case u.ID != caller.UserID && !slices.Contains(roles, "admin"):
			fail(w, http.StatusForbidden, "You are not authorized to perform the requested action: identity:get_user.")
		default:
			write(w, http.StatusOK, map[string]any{"user": userBody(r, u)})
		}
	})
}

func (k *Keystone) listDomains(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(tokenRecord, []string) {
		list := []any{}
		if name := r.URL.Query().Get("name"); name == "" || name == "Default" {
			list = append(list, defaultDomain)
		}
		write(w, http.StatusOK, map[string]any{"domains": list, "links": map[string]any{}})
	})
}

func (k *Keystone) getDomain(w http.ResponseWriter, r *http.Request) {
	k.as(w, r, func(tokenRecord, []string) {
		if r.PathValue("id") != "default" {
			fail(w, http.StatusNotFound, "Could not find domain: "+r.PathValue("id")+".")
			return
		}
		write(w, http.StatusOK, map[string]any{"domain": defaultDomain})
	})
}
