package setapi

import (
	"context"
	"net/http"

	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
)

func servePrefetcher(mux *http.ServeMux, p set.Prefetcher) {
	mux.HandleFunc("POST /v1/images/prefetch", func(w http.ResponseWriter, r *http.Request) {
		var req set.Prefetch
		if err := httpjson.Read(w, r, MaxBody, &req); err != nil {
			WriteError(w, err)
			return
		}
		done, err := p.Prefetch(r.Context(), req)
		answer(w, http.StatusOK, done, err)
	})
	mux.HandleFunc("GET /v1/images/layers", func(w http.ResponseWriter, r *http.Request) {
		list, err := p.Layers(r.Context())
		if list == nil {
			list = []string{}
		}
		answer(w, http.StatusOK, list, err)
	})
}

var _ set.Prefetcher = (*AgentClient)(nil)

// Prefetch implements set.Prefetcher; a host that cannot do so answers ErrNotFound.
func (c *AgentClient) Prefetch(ctx context.Context, p set.Prefetch) (set.Prefetched, error) {
	return call[set.Prefetched](ctx, c.c, request{method: http.MethodPost, path: "/v1/images/prefetch", body: p})
}

// Layers implements set.Prefetcher.
func (c *AgentClient) Layers(ctx context.Context) ([]string, error) {
	return call[[]string](ctx, c.c, request{method: http.MethodGet, path: "/v1/images/layers"})
}
