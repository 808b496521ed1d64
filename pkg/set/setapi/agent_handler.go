package setapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
)

// heartbeat is how often a quiet Watch sends a blank line, so that a dead peer shows.
const heartbeat = 5 * time.Second

// AgentHandler serves the host side. It must stand behind the check of the region's own credential.
func AgentHandler(a set.Agent) http.Handler {
	h := agentHandler{a}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/assignments/{id}", h.apply)
	mux.HandleFunc("GET /v1/assignments", h.observe)
	mux.HandleFunc("GET /v1/assignments/watch", h.watch)
	mux.HandleFunc("DELETE /v1/assignments/{id}", h.remove)
	if p, ok := a.(set.Prefetcher); ok {
		servePrefetcher(mux, p)
	}
	return mux
}

type agentHandler struct{ agent set.Agent }

func (h agentHandler) apply(w http.ResponseWriter, r *http.Request) {
	var a set.Assignment
	if err := httpjson.Read(w, r, MaxBody, &a); err != nil {
		WriteError(w, err)
		return
	}
	if id := r.PathValue("id"); a.ServerID != id {
		WriteError(w, fmt.Errorf("%w: the path names server %q, the body %q", set.ErrInvalid, id, a.ServerID))
		return
	}
	o, err := h.agent.Apply(r.Context(), a)
	answer(w, http.StatusAccepted, o, err)
}

func (h agentHandler) remove(w http.ResponseWriter, r *http.Request) {
	epoch, err := uintParam(r.URL.Query(), "epoch")
	if err != nil {
		WriteError(w, err)
		return
	}
	o, err := h.agent.Remove(r.Context(), set.Removal{ServerID: r.PathValue("id"), Epoch: epoch})
	answer(w, http.StatusAccepted, o, err)
}

func (h agentHandler) observe(w http.ResponseWriter, r *http.Request) {
	list, err := h.agent.Observe(r.Context(), r.URL.Query()["id"]...)
	if list == nil {
		list = []set.Observation{}
	}
	answer(w, http.StatusOK, list, err)
}

func answer(w http.ResponseWriter, status int, v any, err error) {
	if err != nil {
		WriteError(w, err)
		return
	}
	httpjson.Write(w, status, v)
}

func (h agentHandler) watch(w http.ResponseWriter, r *http.Request) {
	out := newLineWriter(w)
	defer out.stop()
	for o, err := range h.agent.Watch(r.Context()) {
		if err != nil {
			if r.Context().Err() == nil {
				out.fail(err)
			}
			return
		}
		if out.line(o) != nil {
			return
		}
	}
}

// watchLine is one line of a Watch: an observation, or the error that ends it.
type watchLine struct {
	Observation *set.Observation      `json:"observation,omitempty"`
	Error       *httpjson.ErrorDetail `json:"error,omitempty"`
}

func encodeLine(l watchLine) []byte {
	b, err := json.Marshal(l)
	if err != nil {
		panic(err) // plain data: cannot fail
	}
	return append(b, '\n')
}
