package docker

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// newDaemon serves a Docker API on a unix socket: handlers by "METHOD /path" without the version.
func newDaemon(t *testing.T, handlers map[string]http.HandlerFunc) *Engine {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.41") })
	for pattern, h := range handlers {
		mux.HandleFunc(pattern, h)
	}
	socket := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/v1.41")
		w.Header().Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
	}))
	require.NoError(t, s.Listener.Close())
	s.Listener = l
	s.Start()
	e := newEngine(t, Config{Host: "unix://" + socket, Timeout: time.Second})
	t.Cleanup(s.Close)
	return e
}

// refuse answers as the daemon does when it fails.
func refuse(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
	}
}

func answer(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
}

func TestErrorsOfTheEngine(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		message string
		want    error
		says    string
	}{
		"image or container missing": {404, "No such image: sha256:aa", set.ErrNotFound, "No such image"},
		"name taken":                 {409, "Conflict. The container is paused", set.ErrConflict, "paused"},
		"infra went away":            {409, "cannot join network of a non running container: abc", set.ErrUnavailable, "non running"},
		"bad request":                {400, "invalid mount path", set.ErrInvalid, "mount path"},
		"shutting down":              {503, "daemon is shutting down", set.ErrUnavailable, "shutting down"},
		"disk full":                  {500, "mkdir /x: no space left on device", set.ErrUnavailable, "disk is full"},
		"command missing":            {400, `OCI runtime create failed: exec: "/nope": stat /nope: no such file or directory: unknown`, set.ErrInvalid, `container web: its command "/nope" cannot be run`},
	} {
		t.Run(name, func(t *testing.T) {
			e := newDaemon(t, map[string]http.HandlerFunc{"POST /containers/{name}/start": refuse(c.status, c.message)})
			in := exampleInstance()
			in.Spec.Containers = in.Spec.Containers[1:2]
			err := e.Start(t.Context(), in)
			require.ErrorIs(t, err, c.want)
			assert.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "\n")
			var known *set.Error
			require.ErrorAs(t, err, &known)
			assert.Equal(t, "6f1c", known.ID)
		})
	}
}

func TestAnErrorWithoutAKindStaysWithoutOne(t *testing.T) {
	e := newDaemon(t, map[string]http.HandlerFunc{"GET /containers/json": refuse(500, "layer store is broken")})
	_, err := e.List(t.Context())
	require.ErrorContains(t, err, "layer store is broken")
	for _, kind := range []error{set.ErrInvalid, set.ErrNotFound, set.ErrConflict, set.ErrUnavailable} {
		assert.NotErrorIs(t, err, kind)
	}
}

func TestAnEngineThatIsDownIsNamed(t *testing.T) {
	e := newEngine(t, Config{Host: "unix:///nonexistent/docker.sock"})
	want := "Docker does not answer at unix:///nonexistent/docker.sock: start it"
	_, err := e.Prepare(t.Context(), exampleInstance())
	require.ErrorIs(t, err, set.ErrUnavailable)
	assert.ErrorContains(t, err, want)
	for _, err := range []error{e.Check(t.Context()), e.Start(t.Context(), exampleInstance()), e.Stop(t.Context(), exampleInstance()), e.Remove(t.Context(), "6f1c")} {
		require.ErrorIs(t, err, set.ErrUnavailable)
		assert.ErrorContains(t, err, want)
	}
}

func TestAnEngineThatHangsHoldsNobodyForEver(t *testing.T) {
	gone := make(chan struct{})
	e := newDaemon(t, map[string]http.HandlerFunc{"GET /containers/json": func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(gone)
	}})
	_, err := e.List(t.Context(), "6f1c")
	require.ErrorIs(t, err, set.ErrUnavailable)
	assert.ErrorContains(t, err, "did not answer in time, so the outcome is not known")
	<-gone
}

func TestIdsThatWouldNameAnotherDirectoryAreRefused(t *testing.T) {
	e := newEngine(t, Config{Host: "unix:///nonexistent/docker.sock"})
	for _, id := range []string{"", ".", "..", "a/b", "a/../..", "-a", strings.Repeat("a", 65)} {
		in := exampleInstance()
		in.ServerID = id
		_, err := e.Prepare(t.Context(), in)
		require.ErrorIs(t, err, set.ErrInvalid, id)
		require.ErrorIs(t, e.Start(t.Context(), in), set.ErrInvalid, id)
		require.ErrorIs(t, e.Stop(t.Context(), in), set.ErrInvalid, id)
		require.ErrorIs(t, e.Remove(t.Context(), id), set.ErrInvalid, id)
	}
}

func TestInstancesThatCannotBeMade(t *testing.T) {
	e := newEngine(t, Config{Host: "unix:///nonexistent/docker.sock"})
	for says, change := range map[string]func(*set.Instance){
		"virtual machines":                 func(in *set.Instance) { in.Spec.Kind = set.KindVM },
		"container web has no local image": func(in *set.Instance) { delete(in.ImageIDs, "web") },
		"volumes[0].name":                  func(in *set.Instance) { in.Spec.Volumes = []set.Volume{{Name: "../x"}} },
	} {
		in := exampleInstance()
		change(&in)
		_, err := e.Prepare(t.Context(), in)
		require.ErrorIs(t, err, set.ErrInvalid)
		assert.ErrorContains(t, err, says)
	}
}

// inspected is what the daemon says of one container.
func inspected(name, role, order string, state container.State) container.InspectResponse {
	return container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{ID: "id-" + name, Image: "sha256:" + name, State: &state, HostConfig: &container.HostConfig{}},
		Config: &container.Config{Labels: map[string]string{labelServer: "6f1c", labelGeneration: "3", labelEpoch: "2", labelHash: "h",
			labelName: name, labelRole: role, labelOrder: order}},
	}
}

func TestWhatTheEngineReports(t *testing.T) {
	start := "2026-01-02T03:04:05.000000006Z"
	f := foundOf("6f1c", []container.InspectResponse{
		inspected("infra", "infra", "0", container.State{Status: "running", Running: true, Pid: 12, StartedAt: start}),
		inspected("logs", "sidecar", "1", container.State{Status: "paused", Running: true, Paused: true}),
		inspected("web", "app", "2", container.State{Status: "exited", ExitCode: 137, OOMKilled: true, FinishedAt: start}),
		inspected("new", "app", "3", container.State{Status: "created", ExitCode: 127, Error: "no such file", StartedAt: "0001-01-01T00:00:00Z"}),
	})
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	assert.Equal(t, set.Found{
		ServerID: "6f1c", Generation: 3, Epoch: 2, SpecHash: "h",
		Sandbox: set.Sandbox{ID: "id-infra@" + start, NetNS: "/proc/12/ns/net"},
		Containers: []set.ContainerStatus{
			{Name: "infra", Role: set.RoleInfra, ID: "id-infra", Image: "sha256:infra", State: set.ContainerRunning, StartedAt: at},
			{Name: "logs", Role: set.RoleSidecar, ID: "id-logs", Image: "sha256:logs", State: set.ContainerPaused},
			{Name: "web", Role: set.RoleApp, ID: "id-web", Image: "sha256:web", State: set.ContainerExited, ExitCode: 137, OOMKilled: true, FinishedAt: at},
			{Name: "new", Role: set.RoleApp, ID: "id-new", Image: "sha256:new", State: set.ContainerCreated, Message: "no such file"},
		},
	}, f)
}

func TestASandboxThatIsDownHasNoNetwork(t *testing.T) {
	f := foundOf("6f1c", []container.InspectResponse{inspected("infra", "infra", "0", container.State{Status: "exited"})})
	assert.Empty(t, f.Sandbox.NetNS)
	f = foundOf("6f1c", []container.InspectResponse{inspected("web", "app", "1", container.State{Status: "running", Running: true})})
	assert.Empty(t, f.SpecHash, "without an infra container nothing is complete")
	assert.Equal(t, uint64(2), f.Epoch, "but whose it is stays known")
}

func TestAServerOfWhichOnlyVolumesAreLeftIsListed(t *testing.T) {
	e := newDaemon(t, map[string]http.HandlerFunc{"GET /containers/json": answer([]container.Summary{})})
	none, err := e.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, none)
	in := exampleInstance()
	require.NoError(t, e.dirs(in.ServerID).make(in.Assignment))
	for _, ids := range [][]string{nil, {"other", "6f1c"}} {
		found, err := e.List(t.Context(), ids...)
		require.NoError(t, err)
		assert.Equal(t, []set.Found{{ServerID: "6f1c"}}, found)
	}
	found, err := e.List(t.Context(), "other")
	require.NoError(t, err)
	assert.Empty(t, found)
}

func TestEventsAreFollowedAgainAfterABreak(t *testing.T) {
	streams := make(chan []string, 2)
	streams <- []string{"a", "b"}
	streams <- []string{"c"}
	e := newDaemon(t, map[string]http.HandlerFunc{
		"GET /events": func(w http.ResponseWriter, r *http.Request) {
			assert.Contains(t, r.URL.Query().Get("filters"), labelHost+"=host-1")
			for _, id := range <-streams {
				_ = json.NewEncoder(w).Encode(map[string]any{"Type": "container", "Action": "die", "Actor": map[string]any{"Attributes": map[string]string{labelServer: id}}})
			}
		},
		"GET /containers/json": answer([]container.Summary{}),
	})
	require.NoError(t, e.dirs("6f1c").make(exampleInstance().Assignment))
	var got []string
	for id, err := range e.Events(t.Context()) {
		if err != nil {
			require.ErrorIs(t, err, set.ErrUnavailable)
			got = append(got, "broken")
			continue
		}
		got = append(got, id)
		if id == "c" {
			break
		}
	}
	assert.Equal(t, []string{"a", "b", "broken", "6f1c", "c"}, got, "what is there is told again, since events were missed")
}

func TestEventsAndListsMayBeginTogether(t *testing.T) {
	e := newDaemon(t, map[string]http.HandlerFunc{
		"GET /events": func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"Type": "container", "Action": "die", "Actor": map[string]any{"Attributes": map[string]string{labelServer: "6f1c"}}})
		},
		"GET /containers/json": answer([]container.Summary{}),
	})
	listed := make(chan error, 1)
	go func() { _, err := e.List(t.Context()); listed <- err }()
	for id, err := range e.Events(t.Context()) { // the race detector sees it if both settle the API version
		require.NoError(t, err)
		assert.Equal(t, "6f1c", id)
		break
	}
	require.NoError(t, <-listed)
}
