package authntest

import (
	"encoding/json"
	"net/http"
)

func (k *Keystone) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", k.versions)
	m.HandleFunc("GET /v3", k.version)
	m.HandleFunc("GET /v3/{$}", k.version)
	m.HandleFunc("POST /v3/auth/tokens", k.issue)
	m.HandleFunc("GET /v3/auth/tokens", k.validate)
	m.HandleFunc("DELETE /v3/auth/tokens", k.revoke)
	m.HandleFunc("GET /v3/auth/catalog", k.catalogOf)
	m.HandleFunc("GET /v3/auth/projects", k.ownProjects)
	m.HandleFunc("GET /v3/projects", k.listProjects)
	m.HandleFunc("GET /v3/projects/{id}", k.getProject)
	m.HandleFunc("GET /v3/users", k.listUsers)
	m.HandleFunc("GET /v3/users/{id}", k.getUser)
	m.HandleFunc("GET /v3/users/{id}/projects", k.ownProjects)
	m.HandleFunc("GET /v3/domains", k.listDomains)
	m.HandleFunc("GET /v3/domains/{id}", k.getDomain)
	m.HandleFunc("POST /v3/users/{id}/application_credentials", k.createAppCred)
	m.HandleFunc("GET /v3/users/{id}/application_credentials", k.listAppCreds)
	m.HandleFunc("GET /v3/users/{id}/application_credentials/{cred}", k.getAppCred)
	m.HandleFunc("DELETE /v3/users/{id}/application_credentials/{cred}", k.deleteAppCred)
	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusNotFound, "Not Found") })
	return m
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// stored answers when the state could be kept; k.mu is held.
func (k *Keystone) stored(w http.ResponseWriter, status int, v any) {
	switch err := k.save(); {
	case err != nil:
		fail(w, http.StatusInternalServerError, err.Error())
	case v == nil:
		w.WriteHeader(status)
	default:
		write(w, status, v)
	}
}

// self is the links of an object, which stock clients take off and miss when they are not there.
func self(r *http.Request, path string) map[string]string {
	return map[string]string{"self": "http://" + r.Host + "/v3/" + path}
}

// fail answers as Keystone does.
func fail(w http.ResponseWriter, status int, message string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Keystone")
	}
	write(w, status, map[string]any{"error": map[string]any{"code": status, "title": http.StatusText(status), "message": message}})
}

func versionDoc(r *http.Request) map[string]any {
	return map[string]any{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links":       []any{map[string]string{"rel": "self", "href": "http://" + r.Host + "/v3/"}},
		"media-types": []any{map[string]string{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
}

func (k *Keystone) versions(w http.ResponseWriter, r *http.Request) {
	write(w, http.StatusMultipleChoices, map[string]any{"versions": map[string]any{"values": []any{versionDoc(r)}}})
}

func (k *Keystone) version(w http.ResponseWriter, r *http.Request) {
	write(w, http.StatusOK, map[string]any{"version": versionDoc(r)})
}
