package api

import (
	"fmt"
	"net/http"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
)

func (h handler) networks(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/networks", h.reading(h.listNetworks))
	mux.HandleFunc("POST /v1/networks", h.writing(h.createNetwork))
	mux.HandleFunc("GET /v1/networks/{ref}", h.reading(h.showNetwork))
	mux.HandleFunc("DELETE /v1/networks/{ref}", h.writing(h.deleteNetwork))
	mux.HandleFunc("GET /v1/networks/{ref}/reservations", h.reading(h.listReservations))
	mux.HandleFunc("PUT /v1/networks/{ref}/reservations/{name}", h.writing(h.reserve))
	mux.HandleFunc("DELETE /v1/networks/{ref}/reservations/{name}", h.writing(h.release))
}

// verb serves a request of a known caller and returns what to answer.
type verb func(w http.ResponseWriter, r *http.Request, c controller.Caller) (status int, v any, err error)

func (h handler) reading(do verb) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, _, err := h.caller(r)
		if err != nil {
			setapi.WriteError(w, err)
			return
		}
		status, v, err := do(w, r, c)
		reply(w, status, v, err)
	}
}

func (h handler) writing(do verb) http.HandlerFunc {
	return h.reading(func(w http.ResponseWriter, r *http.Request, c controller.Caller) (int, any, error) {
		if c.ReadOnly {
			return 0, nil, fmt.Errorf("%w: your roles on the project allow reading only", set.ErrForbidden)
		}
		return do(w, r, c)
	})
}

func (h handler) listNetworks(_ http.ResponseWriter, r *http.Request, c controller.Caller) (int, any, error) {
	list, err := h.cfg.Networks.List(r.Context(), c.ProjectID)
	return http.StatusOK, map[string]any{"networks": list}, err
}

func (h handler) createNetwork(w http.ResponseWriter, r *http.Request, c controller.Caller) (int, any, error) {
	var req ipam.NetworkRequest
	if err := httpjson.Read(w, r, setapi.MaxBody, &req); err != nil {
		return 0, nil, err
	}
	n, err := h.cfg.Networks.Create(r.Context(), c.ProjectID, req)
	return http.StatusCreated, n, err
}

func (h handler) showNetwork(_ http.ResponseWriter, r *http.Request, c controller.Caller) (int, any, error) {
	n, err := h.cfg.Networks.Get(r.Context(), c.ProjectID, r.PathValue("ref"))
	if err != nil {
		return 0, nil, err
	}
	n, err = h.cfg.Networks.Count(r.Context(), n)
	return http.StatusOK, n, err
}

func (h handler) deleteNetwork(_ http.ResponseWriter, r *http.Request, c controller.Caller) (int, any, error) {
	return http.StatusNoContent, nil, h.cfg.Networks.Delete(r.Context(), c.ProjectID, r.PathValue("ref"))
}

func (h handler) listReservations(_ http.ResponseWriter, r *http.Request, c controller.Caller) (int, any, error) {
	n, err := h.cfg.Networks.Get(r.Context(), c.ProjectID, r.PathValue("ref"))
	if err != nil {
		return 0, nil, err
	}
	list, err := h.cfg.Networks.Reservations(r.Context(), n)
	return http.StatusOK, map[string]any{"reservations": list}, err
}

func (h handler) reserve(_ http.ResponseWriter, r *http.Request, c controller.Caller) (int, any, error) {
	n, err := h.cfg.Networks.Get(r.Context(), c.ProjectID, r.PathValue("ref"))
	if err != nil {
		return 0, nil, err
	}
	res, err := h.cfg.Networks.Reserve(r.Context(), n, r.PathValue("name"))
	return http.StatusOK, res, err
}

func (h handler) release(_ http.ResponseWriter, r *http.Request, c controller.Caller) (int, any, error) {
	n, err := h.cfg.Networks.Get(r.Context(), c.ProjectID, r.PathValue("ref"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, h.cfg.Networks.Unreserve(r.Context(), n, r.PathValue("name"))
}
