package api

import (
	"net/http"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set/setapi"
)

// forecast is for whoever may create servers.
func (h handler) forecast(w http.ResponseWriter, r *http.Request) {
	var req controller.ForecastRequest
	caller, _, err := h.caller(r)
	if err == nil {
		err = httpjson.Read(w, r, setapi.MaxBody, &req)
	}
	if err != nil {
		setapi.WriteError(w, err)
		return
	}
	f, err := h.cfg.Controller.Forecast(r.Context(), caller, req)
	reply(w, http.StatusOK, f, err)
}
