package api

import (
	"fmt"
	"net/http"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
)

func (h handler) hosts(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		err := h.admin(r)
		reply(w, http.StatusOK, map[string]any{"hosts": h.cfg.Controller.Hosts()}, err)
	})
	mux.HandleFunc("POST /v1/hosts/{name}/cordon", h.cordon(true))
	mux.HandleFunc("POST /v1/hosts/{name}/uncordon", h.cordon(false))
}

func (h handler) admin(r *http.Request) error {
	_, id, err := h.caller(r)
	if err != nil {
		return err
	}
	return policyErrors.Translate(h.cfg.Policy.Allow(id, authn.Admin))
}

func (h handler) cordon(cordoned bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h.admin(r); err != nil {
			setapi.WriteError(w, err)
			return
		}
		host, err := h.cfg.Controller.Cordon(r.Context(), r.PathValue("name"), cordoned)
		reply(w, http.StatusOK, host, err)
	}
}

func (h handler) heartbeat(w http.ResponseWriter, r *http.Request) {
	var report controller.HostReport
	if err := httpjson.Read(w, r, setapi.MaxBody, &report); err != nil {
		setapi.WriteError(w, err)
		return
	}
	if report.Name != r.PathValue("name") {
		setapi.WriteError(w, fmt.Errorf("%w: the path names host %q, the body %q", set.ErrInvalid, r.PathValue("name"), report.Name))
		return
	}
	if name, ok := authn.PeerName(r.Context()); ok && name != report.Name {
		setapi.WriteError(w, fmt.Errorf("%w: the certificate is that of host %q, the report that of %q", set.ErrForbidden, name, report.Name))
		return
	}
	reply(w, http.StatusNoContent, nil, h.cfg.Controller.Heartbeat(r.Context(), report))
}
