package agent

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

const key = "a key of region and hosts"

func peer(t *testing.T) authn.Peer {
	t.Helper()
	shared, err := authn.NewSharedKey(key)
	require.NoError(t, err)
	return shared
}

// config is of a host whose Docker and Open vSwitch are down.
func config(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	return Config{Name: "host-1", StateDir: filepath.Join(dir, "state"), URL: "http://127.0.0.1:9782", RegionURL: "http://127.0.0.1:1", Region: peer(t),
		DockerHost: "unix://" + filepath.Join(dir, "docker.sock"), Registry: "127.0.0.1:9781", OVSRunDir: filepath.Join(dir, "ovs"),
		Capacity: set.Resources{CPU: 2000, Memory: 1 << 30}, Labels: map[string]string{"disk": "ssd"}, Rack: "r1", Zone: "z1", Report: 10 * time.Millisecond}
}

func newAgent(t *testing.T, c Config) *Agent {
	t.Helper()
	a, err := New(c)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close()) })
	return a
}

func TestHostWithEverythingDownReportsItselfNotReady(t *testing.T) {
	type report struct {
		method, path, key string
		body              controller.HostReport
	}
	reports := make(chan report, 100)
	region := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b controller.HostReport
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		assert.NoError(t, d.Decode(&b))
		select {
		case reports <- report{r.Method, r.URL.Path, r.Header.Get("X-Moset-Key"), b}:
		default:
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer region.Close()
	c := config(t)
	c.RegionURL = region.URL + "/"
	a := newAgent(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { a.Report(ctx); close(ended) }()
	first, second := <-reports, <-reports
	cancel()
	<-ended
	a.http.CloseIdleConnections()
	assert.Equal(t, first, second, "it goes on reporting")
	assert.Equal(t, "PUT", first.method)
	assert.Equal(t, "/v1/hosts/host-1", first.path)
	assert.Equal(t, key, first.key)
	r := first.body
	assert.False(t, r.Ready)
	assert.Contains(t, r.Reason, "docker.sock")
	assert.NotContains(t, r.Reason, "\n", "one sentence")
	machine, err := MachineCapacity()
	require.NoError(t, err)
	r.Reason = ""
	assert.Equal(t, controller.HostReport{Name: "host-1", URL: "http://127.0.0.1:9782", Labels: map[string]string{"disk": "ssd"}, Rack: "r1", Zone: "z1",
		Capacity: set.Resources{CPU: 2000, Memory: 1 << 30, Pids: machine.Pids}}, r)
}

func TestSwitchThatIsDownIsSaidInOneSentence(t *testing.T) {
	a := newAgent(t, config(t))
	err := a.network.Check(t.Context())
	require.ErrorIs(t, err, set.ErrUnavailable)
	wanted := a.cfg.OVSRunDir
	if os.Geteuid() != 0 {
		wanted = "run this as root" // which is looked at first
	}
	assert.Contains(t, err.Error(), wanted)
	assert.NotContains(t, err.Error(), "\n")
	require.NoError(t, a.network.Close())
	assert.ErrorContains(t, a.network.Check(t.Context()), "shutting down")
}

func TestRefusedReportSaysWhy(t *testing.T) {
	region := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		setapi.WriteError(w, set.ErrInvalid)
	}))
	defer region.Close()
	c := config(t)
	c.RegionURL = region.URL
	a := newAgent(t, c)
	err := a.reportOnce(t.Context())
	a.http.CloseIdleConnections()
	require.ErrorIs(t, err, set.ErrInvalid)
	assert.Contains(t, err.Error(), "it answered: ")
}

func TestHostServesOnlyWhoHasTheKey(t *testing.T) {
	a := newAgent(t, config(t))
	server := httptest.NewServer(a.Handler())
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, request := range []struct{ method, path string }{
		{"GET", "/v1/assignments"}, {"GET", "/v1/assignments/watch"}, {"PUT", "/v1/assignments/x"}, {"DELETE", "/v1/assignments/x?epoch=1"},
	} {
		for _, given := range []string{"", key + "x"} {
			req, err := http.NewRequestWithContext(t.Context(), request.method, server.URL+request.path, strings.NewReader("{}"))
			require.NoError(t, err)
			req.Header.Set("X-Moset-Key", given)
			resp, err := client.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, "%s %s", request.method, request.path)
			assert.NotContains(t, string(body), key)
		}
	}
	shared, err := authn.NewSharedKey(key)
	require.NoError(t, err)
	agent := setapi.NewAgentClient(setapi.ClientConfig{URL: server.URL, HTTP: &http.Client{Transport: shared.Transport(transport)}})
	list, err := agent.Observe(t.Context())
	require.NoError(t, err)
	assert.Empty(t, list)
	resp, err := client.Get(server.URL + "/healthz")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusNoContent, resp.StatusCode)
}

func TestHostWithDockerDownKeepsWhatItWasTold(t *testing.T) {
	c := config(t)
	a, err := New(c)
	require.NoError(t, err)
	_, err = a.manager.Apply(t.Context(), settest.Assignment("server-1"))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	again := newAgent(t, c)
	list, err := again.manager.Observe(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "server-1", list[0].ServerID)
}

func TestSecondAgentOnOneStateDirIsRefused(t *testing.T) {
	c := config(t)
	newAgent(t, c)
	_, err := New(c)
	assert.ErrorIs(t, err, set.ErrConflict)
}

func TestConfigIsChecked(t *testing.T) {
	for says, change := range map[string]func(*Config){
		"needs a name":            func(c *Config) { c.Name = "" },
		"needs a state directory": func(c *Config) { c.StateDir = "" },
		"give the host a key":     func(c *Config) { c.Region = nil },
		"not-a-scheme":            func(c *Config) { c.DockerHost = "not-a-scheme" },
	} {
		t.Run(says, func(t *testing.T) {
			c := config(t)
			change(&c)
			_, err := New(c)
			assert.ErrorContains(t, err, says)
		})
	}
}
