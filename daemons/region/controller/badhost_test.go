package controller_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

func always(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// ways are those in which a host answers nonsense, or nothing.
var ways = map[string]http.HandlerFunc{
	"a page instead of JSON":           always(200, "<html>welcome</html>"),
	"JSON of another kind":             always(200, `{"server_id":7}`),
	"empty JSON":                       always(200, `{}`),
	"nothing":                          always(200, ""),
	"about a server that is not asked": always(200, `{"server_id":"another","state":"running","generation":1,"epoch":1}`),
	"an error without words":           always(500, ""),
	"an error in HTML":                 always(502, "<html>bad gateway</html>"),
	"a redirect":                       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	"a broken connection":              func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"no answer": func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or it is not noticed that the caller goes away
		<-r.Context().Done()
	},
}

// badHost adds a host that answers as said until it is mended, and then as a good one. Only servers that ask
// for the label bad are placed on it.
func (r *region) badHost(t *testing.T, way http.Handler) (mend func(), m *set.Manager) {
	t.Helper()
	m = settest.NewManager(t, settest.NewFakes())
	var now atomic.Pointer[http.Handler]
	now.Store(&way)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*now.Load()).ServeHTTP(w, r)
	}))
	transport := &http.Transport{}
	t.Cleanup(func() {
		assert.NoError(t, r.Close(), "the region goes before its hosts")
		transport.CloseIdleConnections()
		server.Close()
	})
	r.mu.Lock()
	r.agents["bad"] = setapi.NewAgentClient(setapi.ClientConfig{URL: server.URL, HTTP: &http.Client{Transport: transport}})
	r.mu.Unlock()
	report := controller.HostReport{Name: "bad", URL: server.URL, Ready: true, Labels: map[string]string{"bad": "yes"},
		Capacity: set.Resources{CPU: 500, Memory: 256 << 20, Pids: 512}}
	require.NoError(t, r.Heartbeat(t.Context(), report))
	good := setapi.AgentHandler(m)
	return func() {
		now.Store(&good)
		server.CloseClientConnections() // as if the host had been started again
	}, m
}

func TestAHostThatAnswersNonsenseOrNothingHoldsNobodyUp(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			r := newRegion(t, func(c *controller.Config) { c.HostCall = 200 * time.Millisecond })
			r.fakes(t, "good", 10)
			mend, m := r.badHost(t, way)
			onBad := request("unlucky")
			onBad.Spec.HostLabels = map[string]string{"bad": "yes"}
			pending, err := r.mine().Create(t.Context(), onBad)
			require.NoError(t, err)

			other := request("lucky")
			other.Spec.Resources = set.Resources{CPU: 600} // more than the bad host has
			task, err := r.mine().Create(t.Context(), other)
			done(t, r.mine(), task, err)

			_, err = r.mine().Act(t.Context(), "unlucky", set.Action{Verb: set.VerbSync})
			require.ErrorIs(t, err, set.ErrUnavailable)
			assert.ErrorContains(t, err, "host bad")
			assert.NotContains(t, err.Error(), "\n")
			s, err := r.mine().Get(t.Context(), "unlucky")
			require.NoError(t, err)
			assert.Equal(t, pending.ID, s.TaskID, "the create waits for the host")
			assert.NotEqual(t, set.StateRunning, s.Status())

			mend()
			done(t, r.mine(), pending, nil)
			for _, name := range []string{"unlucky", "lucky"} {
				task, err := r.mine().Delete(t.Context(), name, set.DeleteOptions{})
				done(t, r.mine(), task, err)
			}
			nothingIsLeft(t, r, m)
		})
	}
}
