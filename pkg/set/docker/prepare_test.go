package docker

import (
	"net/http"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// infraDaemon has one infra container, i, and notes what is asked of it.
func infraDaemon(t *testing.T, running bool, calls *[]string) *Engine {
	note := func(name string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			*calls = append(*calls, name)
			then(w, r)
		}
	}
	return newDaemon(t, map[string]http.HandlerFunc{
		"GET /containers/json": note("list", answer([]container.Summary{})),
		"GET /containers/i/json": note("inspect", func(w http.ResponseWriter, r *http.Request) {
			state := &container.State{Running: running, StartedAt: "now"}
			if running {
				state.Pid = 7
			}
			answer(container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{ID: "i", State: state}})(w, r)
		}),
		"POST /containers/i/start": note("start", func(w http.ResponseWriter, _ *http.Request) {
			running = true
			w.WriteHeader(http.StatusNoContent)
		}),
	})
}

func TestAnInfraContainerIsAskedAboutNoMoreThanNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		infra   made
		running bool
		want    []string
	}{
		"just made":         {made{id: "i"}, false, []string{"start", "inspect"}},
		"adopted, runs":     {made{"i", true}, true, []string{"inspect"}},
		"adopted, was down": {made{"i", true}, false, []string{"inspect", "list", "start", "inspect"}},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []string
			sandbox, err := infraDaemon(t, c.running, &calls).bringUpInfra(t.Context(), exampleInstance(), c.infra)
			require.NoError(t, err)
			assert.Equal(t, "/proc/7/ns/net", sandbox.NetNS)
			assert.Equal(t, c.want, calls)
		})
	}
}
