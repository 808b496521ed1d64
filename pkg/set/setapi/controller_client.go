package setapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/moset/moset/pkg/set"
)

// ControllerClient is a set.Controller (and set.TaskReader) on the other end of HTTP.
type ControllerClient struct{ c client }

var (
	_ set.Controller = (*ControllerClient)(nil)
	_ set.TaskReader = (*ControllerClient)(nil)

	_ set.BatchCreator      = (*ControllerClient)(nil)
	_ set.ServiceController = (*ControllerClient)(nil)
)

// NewControllerClient returns the Controller served at cfg.URL, for the project of the credential that cfg.HTTP adds.
func NewControllerClient(cfg ClientConfig) *ControllerClient {
	return &ControllerClient{newClient(cfg)}
}

// Create implements set.Controller.
func (c *ControllerClient) Create(ctx context.Context, req set.CreateRequest) (set.Task, error) {
	return call[set.Task](ctx, c.c, request{method: http.MethodPost, path: "/v1/servers", header: keyHeader(req.IdempotencyKey), body: req})
}

// CreateBatch implements set.BatchCreator.
func (c *ControllerClient) CreateBatch(ctx context.Context, req set.BatchRequest) (set.Batch, error) {
	return call[set.Batch](ctx, c.c, request{method: http.MethodPost, path: "/v1/batches", header: keyHeader(req.IdempotencyKey), body: req})
}

// Get implements set.Controller.
func (c *ControllerClient) Get(ctx context.Context, ref string) (set.Server, error) {
	return call[set.Server](ctx, c.c, request{method: http.MethodGet, path: serverPath(ref)})
}

// List implements set.Controller.
func (c *ControllerClient) List(ctx context.Context, opts set.ListOptions) (set.Page, error) {
	return call[set.Page](ctx, c.c, request{method: http.MethodGet, path: "/v1/servers?" + listQuery(opts).Encode()})
}

// Act implements set.Controller.
func (c *ControllerClient) Act(ctx context.Context, ref string, a set.Action) (set.Task, error) {
	return call[set.Task](ctx, c.c, request{method: http.MethodPost, path: serverPath(ref) + "/action", header: keyHeader(a.IdempotencyKey), body: a})
}

// Delete implements set.Controller.
func (c *ControllerClient) Delete(ctx context.Context, ref string, opts set.DeleteOptions) (set.Task, error) {
	return call[set.Task](ctx, c.c, request{method: http.MethodDelete, path: serverPath(ref), header: keyHeader(opts.IdempotencyKey)})
}

// Task implements set.TaskReader.
func (c *ControllerClient) Task(ctx context.Context, id string, after uint64) (set.Task, error) {
	path := "/v1/tasks/" + url.PathEscape(id) + "?after=" + strconv.FormatUint(after, 10)
	return call[set.Task](ctx, c.c, request{method: http.MethodGet, path: path})
}

func serverPath(ref string) string { return "/v1/servers/" + url.PathEscape(ref) }

func keyHeader(key string) http.Header {
	if key == "" {
		return nil
	}
	return http.Header{"Idempotency-Key": {key}}
}

func listQuery(o set.ListOptions) url.Values {
	q := url.Values{}
	setIf := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	setIf("name", o.Name)
	setIf("status", string(o.Status))
	setIf("marker", o.Marker)
	if o.Limit != 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	for k, v := range o.Labels {
		q.Add("label", k+"="+v)
	}
	return q
}
