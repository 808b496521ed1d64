package setapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
)

// MaxBody is the most a request body may hold, in bytes.
const MaxBody = 1 << 20

// Resolver returns the Controller that the caller of a request may use.
type Resolver func(*http.Request) (set.Controller, error)

// ControllerHandler serves the tenant side. The Controller a Resolver returns should be a set.TaskReader too;
// without it tasks answer not_found.
func ControllerHandler(resolve Resolver) http.Handler {
	h := controllerHandler{resolve}
	mux := http.NewServeMux()
	for route, do := range h.routes() {
		mux.HandleFunc(route, h.with(do))
	}
	return mux
}

// Routes are the patterns that ControllerHandler serves, for a mux that serves other things too.
func Routes() []string { return slices.Sorted(maps.Keys(controllerHandler{}.routes())) }

func (h controllerHandler) routes() map[string]verb {
	return map[string]verb{
		"POST /v1/servers":              h.create,
		"GET /v1/servers":               h.list,
		"GET /v1/servers/{ref}":         h.get,
		"POST /v1/servers/{ref}/action": h.act,
		"DELETE /v1/servers/{ref}":      h.delete,
		"GET /v1/tasks/{id}":            h.task,
		"POST /v1/batches":              h.createBatch,
		"POST /v1/services":             h.createService,
		"GET /v1/services":              h.listServices,
		"GET /v1/services/{ref}":        h.getService,
		"POST /v1/services/{ref}/scale": h.scaleService,
		"DELETE /v1/services/{ref}":     h.deleteService,
	}
}

type controllerHandler struct{ resolve Resolver }

// verb serves one request with its caller's Controller and returns what to answer.
type verb func(w http.ResponseWriter, r *http.Request, c set.Controller) (status int, v any, err error)

func (h controllerHandler) with(do verb) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := h.resolve(r)
		if err != nil {
			WriteError(w, err)
			return
		}
		status, v, err := do(w, r, c)
		if err != nil {
			WriteError(w, err)
			return
		}
		httpjson.Write(w, status, v)
	}
}

func (controllerHandler) create(w http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	var req set.CreateRequest
	if err := httpjson.Read(w, r, MaxBody, &req); err != nil {
		return 0, nil, err
	}
	req.IdempotencyKey = r.Header.Get("Idempotency-Key")
	t, err := c.Create(r.Context(), req)
	if err == nil {
		w.Header().Set("Location", serverPath(t.ServerID))
	}
	return http.StatusAccepted, t, err
}

func (controllerHandler) get(_ http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	s, err := c.Get(r.Context(), r.PathValue("ref"))
	return http.StatusOK, s, err
}

func (controllerHandler) list(_ http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	opts, err := listOptions(r.URL.Query())
	if err != nil {
		return 0, nil, err
	}
	p, err := c.List(r.Context(), opts)
	if p.Servers == nil {
		p.Servers = []set.Server{}
	}
	return http.StatusOK, p, err
}

func (controllerHandler) act(w http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	var a set.Action
	if err := httpjson.Read(w, r, MaxBody, &a); err != nil {
		return 0, nil, err
	}
	a.IdempotencyKey = r.Header.Get("Idempotency-Key")
	t, err := c.Act(r.Context(), r.PathValue("ref"), a)
	return http.StatusAccepted, t, err
}

func (controllerHandler) delete(_ http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	opts := set.DeleteOptions{IdempotencyKey: r.Header.Get("Idempotency-Key")}
	t, err := c.Delete(r.Context(), r.PathValue("ref"), opts)
	return http.StatusAccepted, t, err
}

func (controllerHandler) task(_ http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	id := r.PathValue("id")
	after, err := uintParam(r.URL.Query(), "after")
	if err != nil {
		return 0, nil, err
	}
	tasks, ok := c.(set.TaskReader)
	if !ok {
		return 0, nil, &set.Error{Op: "task", ID: id, Err: set.ErrNotFound}
	}
	t, err := tasks.Task(r.Context(), id, after)
	return http.StatusOK, t, err
}

func listOptions(q url.Values) (set.ListOptions, error) {
	o := set.ListOptions{Name: q.Get("name"), Status: set.State(q.Get("status")), Marker: q.Get("marker")}
	limit, err := uintParam(q, "limit")
	if err != nil {
		return o, err
	}
	o.Limit = int(min(limit, 1000))
	for _, l := range q["label"] {
		k, v, ok := strings.Cut(l, "=")
		if !ok || k == "" {
			return o, fmt.Errorf("%w: label %q is not name=value", set.ErrInvalid, l)
		}
		if o.Labels == nil {
			o.Labels = map[string]string{}
		}
		o.Labels[k] = v
	}
	return o, nil
}

func uintParam(q url.Values, name string) (uint64, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %s=%q is not a whole number", set.ErrInvalid, name, text)
	}
	return n, nil
}
