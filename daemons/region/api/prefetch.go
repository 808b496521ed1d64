package api

import (
	"net/http"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
)

// prefetched is the answer to POST /v1/images/prefetch.
type prefetched struct {
	Image set.Image                   `json:"image"`
	Hosts []controller.PrefetchResult `json:"hosts"`
}

// prefetch is for admins: it fills the disks of hosts.
func (h handler) prefetch(w http.ResponseWriter, r *http.Request) {
	var req controller.PrefetchRequest
	if err := h.admin(r); err != nil {
		setapi.WriteError(w, err)
		return
	}
	if err := httpjson.Read(w, r, setapi.MaxBody, &req); err != nil {
		setapi.WriteError(w, err)
		return
	}
	caller, _, err := h.caller(r)
	if err != nil {
		setapi.WriteError(w, err)
		return
	}
	img, results, err := h.cfg.Controller.Prefetch(r.Context(), caller, req)
	if results == nil {
		results = []controller.PrefetchResult{}
	}
	reply(w, http.StatusOK, prefetched{img, results}, err)
}
