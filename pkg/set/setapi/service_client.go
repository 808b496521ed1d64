package setapi

import (
	"context"
	"net/http"
	"net/url"

	"github.com/moset/moset/pkg/set"
)

// services is the body of a list.
type services struct {
	Services []set.Service `json:"services"`
}

func servicePath(ref string) string { return "/v1/services/" + url.PathEscape(ref) }

// CreateService implements set.ServiceController.
func (c *ControllerClient) CreateService(ctx context.Context, req set.ServiceRequest) (set.Task, error) {
	return call[set.Task](ctx, c.c, request{method: http.MethodPost, path: "/v1/services", header: keyHeader(req.IdempotencyKey), body: req})
}

// GetService implements set.ServiceController.
func (c *ControllerClient) GetService(ctx context.Context, ref string) (set.Service, error) {
	return call[set.Service](ctx, c.c, request{method: http.MethodGet, path: servicePath(ref)})
}

// ListServices implements set.ServiceController.
func (c *ControllerClient) ListServices(ctx context.Context) ([]set.Service, error) {
	list, err := call[services](ctx, c.c, request{method: http.MethodGet, path: "/v1/services"})
	return list.Services, err
}

// ScaleService implements set.ServiceController.
func (c *ControllerClient) ScaleService(ctx context.Context, ref string, s set.Scale) (set.Task, error) {
	return call[set.Task](ctx, c.c, request{method: http.MethodPost, path: servicePath(ref) + "/scale", header: keyHeader(s.IdempotencyKey), body: s})
}

// DeleteService implements set.ServiceController.
func (c *ControllerClient) DeleteService(ctx context.Context, ref string, o set.DeleteOptions) (set.Task, error) {
	return call[set.Task](ctx, c.c, request{method: http.MethodDelete, path: servicePath(ref), header: keyHeader(o.IdempotencyKey)})
}
