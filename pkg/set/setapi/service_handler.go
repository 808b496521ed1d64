package setapi

import (
	"fmt"
	"net/http"

	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
)

// able returns the Controller's further ability T, which the caller asked for.
func able[T any](c set.Controller, what string) (T, error) {
	t, ok := c.(T)
	if !ok {
		return t, fmt.Errorf("%w: there are no %s here", set.ErrNotFound, what)
	}
	return t, nil
}

func (controllerHandler) createBatch(w http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	var req set.BatchRequest
	if err := httpjson.Read(w, r, MaxBody, &req); err != nil {
		return 0, nil, err
	}
	req.IdempotencyKey = r.Header.Get("Idempotency-Key")
	creator, err := able[set.BatchCreator](c, "batches")
	if err != nil {
		return 0, nil, err
	}
	b, err := creator.CreateBatch(r.Context(), req)
	return http.StatusAccepted, b, err
}

func (controllerHandler) createService(w http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	var req set.ServiceRequest
	if err := httpjson.Read(w, r, MaxBody, &req); err != nil {
		return 0, nil, err
	}
	req.IdempotencyKey = r.Header.Get("Idempotency-Key")
	s, err := able[set.ServiceController](c, "services")
	if err != nil {
		return 0, nil, err
	}
	t, err := s.CreateService(r.Context(), req)
	if err == nil {
		w.Header().Set("Location", servicePath(t.ServiceID))
	}
	return http.StatusAccepted, t, err
}

func (controllerHandler) listServices(_ http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	s, err := able[set.ServiceController](c, "services")
	if err != nil {
		return 0, nil, err
	}
	list, err := s.ListServices(r.Context())
	if list == nil {
		list = []set.Service{}
	}
	return http.StatusOK, services{list}, err
}

func (controllerHandler) getService(_ http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	s, err := able[set.ServiceController](c, "services")
	if err != nil {
		return 0, nil, err
	}
	svc, err := s.GetService(r.Context(), r.PathValue("ref"))
	return http.StatusOK, svc, err
}

func (controllerHandler) scaleService(w http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	var body struct {
		Replicas *int `json:"replicas"` // 0 is a number like others, so that a missing one must be told from it
	}
	if err := httpjson.Read(w, r, MaxBody, &body); err != nil {
		return 0, nil, err
	}
	if body.Replicas == nil {
		return 0, nil, fmt.Errorf("%w: replicas: it is missing", set.ErrInvalid)
	}
	s, err := able[set.ServiceController](c, "services")
	if err != nil {
		return 0, nil, err
	}
	t, err := s.ScaleService(r.Context(), r.PathValue("ref"), set.Scale{Replicas: *body.Replicas, IdempotencyKey: r.Header.Get("Idempotency-Key")})
	return http.StatusAccepted, t, err
}

func (controllerHandler) deleteService(_ http.ResponseWriter, r *http.Request, c set.Controller) (int, any, error) {
	s, err := able[set.ServiceController](c, "services")
	if err != nil {
		return 0, nil, err
	}
	t, err := s.DeleteService(r.Context(), r.PathValue("ref"), set.DeleteOptions{IdempotencyKey: r.Header.Get("Idempotency-Key")})
	return http.StatusAccepted, t, err
}
