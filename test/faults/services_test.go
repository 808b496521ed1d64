package faults

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/test/process"
)

// world is a cloud whose services fail. Its servers are on the host "fail", unless a test says otherwise.
type world struct {
	*process.Cloud
	token  string
	client set.Controller
	tasks  set.TaskReader
}

func TestServicesThatFail(t *testing.T) {
	t.Parallel()
	c := process.Start(t, process.Config{Programs: programs, Hosts: []process.Host{{Name: "fail"}, {Name: "idle"}}})
	c.PushImages(t)
	token := c.Token(t, "demo")
	client := c.Client(token)
	w := &world{c, token, client, client}
	w.Must(t, "admin", "host", "cordon", "idle")
	w.Must(t, "demo", "network", "show", "default") // made on first use, and kept
	for _, test := range []struct {
		name string
		run  func(*world, *testing.T)
	}{
		{"Keystone is down", (*world).keystoneIsDown},
		{"Glance is down", (*world).glanceIsDown},
		{"Glance goes down after a create was accepted", (*world).glanceGoesDown},
		{"Glance answers 500 in the middle of a push", (*world).glanceFailsAPush},
		{"Glance breaks off in the middle of a pull", (*world).glanceBreaksOff},
		{"a token expires before the host pulls", (*world).tokenExpires},
		{"a layer is missing", (*world).layerIsMissing},
		{"a host does not answer", (*world).hostIsFrozen},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := w.Footprint(t)
			w.ForgetImages(t)
			test.run(w, t)
			process.LeavesNothing(t, before, func() []string { return w.Footprint(t) })
		})
	}
}

func (w *world) keystoneIsDown(t *testing.T) {
	w.create(t, "old", "demo/web:v1")
	unseen := w.Client(w.Token(t, "demo"))
	w.Keystone.SetDown(true)
	defer w.Keystone.SetDown(false)

	page, err := w.client.List(t.Context(), set.ListOptions{})
	require.NoError(t, err, "a token that was seen before goes on")
	assert.Len(t, page.Servers, 1)
	task, err := w.client.Delete(t.Context(), "old", set.DeleteOptions{})
	require.NoError(t, err)
	w.ends(t, task, "")

	_, err = unseen.List(t.Context(), set.ListOptions{})
	require.ErrorIs(t, err, set.ErrUnavailable)
	assert.Contains(t, err.Error(), "the identity service does not answer")
	status, body := w.get(t, "/v1/servers", "0123456789abcdef0123456789abcdef")
	assert.Equal(t, http.StatusServiceUnavailable, status, body)
	assert.Contains(t, w.Fails(t, 6, "demo", "server", "list"), "the identity service does not answer")
}

func (w *world) glanceIsDown(t *testing.T) {
	w.Glance.SetDown(true)
	defer w.Glance.SetDown(false)
	sentence := w.Fails(t, 6, "demo", "server", "create", "web", "--app", "demo/web:v1")
	assert.Contains(t, sentence, "image demo/web:v1")
	assert.Contains(t, sentence, "Glance")
	assert.Empty(t, w.Must(t, "demo", "server", "list", "--format", "{{range .}}{{.name}}{{end}}"))
}

func (w *world) glanceBreaksOff(t *testing.T) {
	w.pushUnique(t, "demo")
	var broken atomic.Int64
	w.AroundGlance(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if broken.Load() < 1 {
				rw = &short{ResponseWriter: rw, left: 100_000, broken: &broken} // only layers are that long
			}
			next.ServeHTTP(rw, r)
		})
	})
	defer w.AroundGlance(nil)
	w.create(t, "web", "demo/unique:v1")
	assert.Positive(t, broken.Load(), "downloads that broke off; several may be under way")
	w.Must(t, "demo", "server", "delete", "web")
}

// short breaks the connection off in the middle of a body.
type short struct {
	http.ResponseWriter
	left   int
	broken *atomic.Int64
}

func (s *short) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		s.broken.Add(1)
		panic(http.ErrAbortHandler)
	}
	return s.ResponseWriter.Write(p)
}

// pendingCreate has a create accepted while its host is away, which the region does not know yet.
func (w *world) pendingCreate(t *testing.T, name string) (task set.Task) {
	t.Helper()
	process.Await(t, "a create to be accepted before the host is missed", func() bool {
		w.Host("fail").Kill(t)
		var err error
		if task, err = w.client.Create(t.Context(), request(name, "demo/web:v1")); errors.Is(err, set.ErrNoCapacity) {
			w.Host("fail").Start(t) // too late: the region gives the host up after some seconds
			w.AwaitHosts(t, 2)
			return false
		}
		require.NoError(t, err)
		return true
	})
	return task
}

func (w *world) glanceGoesDown(t *testing.T) {
	task := w.pendingCreate(t, "web")
	w.Glance.SetDown(true)
	defer w.Glance.SetDown(false)
	w.Host("fail").Start(t)
	process.Await(t, "the host to meet the outage", func() bool { return strings.Contains(w.Host("fail").Log(), "will try again") })
	w.Glance.SetDown(false)
	w.ends(t, task, "")
	w.Must(t, "demo", "server", "delete", "web")
}

func (w *world) tokenExpires(t *testing.T) {
	task := w.pendingCreate(t, "web")
	w.Keystone.Expire(w.token)
	w.token = w.Token(t, "demo")
	client := w.Client(w.token)
	w.client, w.tasks = client, client
	w.Host("fail").Start(t)
	w.ends(t, task, "")
	w.Must(t, "demo", "server", "delete", "web")
}

func (w *world) layerIsMissing(t *testing.T) {
	w.Docker(t, "login", w.registry(), "-u", "alt/alt", "-p", "secret-alt")
	w.pushUnique(t, "alt")
	w.deleteLayers(t)
	sentence := w.Fails(t, 3, "alt", "server", "create", "web", "--app", "alt/unique:v1", "--memory", "64Mi")
	assert.Contains(t, sentence, "push the image again")
	assert.Equal(t, "failed", w.Must(t, "alt", "server", "show", "web", "--format", "{{.observed.state}}"), "the name is all that is left")
	w.Must(t, "alt", "server", "delete", "web")
}

func (w *world) registry() string { return strings.TrimPrefix(w.Registry.URL, "http://") }

// pushUnique pushes PROJECT/unique:v1, which has a layer that no engine and no Glance has seen.
func (w *world) pushUnique(t *testing.T, project string) {
	t.Helper()
	dir, prefix := t.TempDir(), w.registry()+"/"+project
	w.Program(t, filepath.Join("..", "..", "scripts", "images"), prefix)
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise) // never fails
	require.NoError(t, os.WriteFile(filepath.Join(dir, "noise"), noise, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM "+prefix+"/web:v1\nCOPY noise /noise\n"), 0o600))
	w.Program(t, "env", "DOCKER_BUILDKIT=0", "docker", "build", "-q", "-t", prefix+"/unique:v1", dir)
	w.Docker(t, "push", "-q", prefix+"/unique:v1")
	w.Docker(t, "rmi", prefix+"/unique:v1", prefix+"/web:v1", prefix+"/logagent:v1")
}

// deleteLayers deletes every layer of project alt behind the registry's back.
func (w *world) deleteLayers(t *testing.T) {
	t.Helper()
	token, deleted := w.Token(t, "alt"), 0
	var list struct{ Images []map[string]any }
	require.NoError(t, json.Unmarshal(w.glance(t, token, "GET", "/v2/images?os_hidden=true&limit=1000", ""), &list))
	for _, i := range list.Images {
		if i["docker_kind"] != "layer" {
			continue
		}
		path := "/v2/images/" + i["id"].(string)
		w.glance(t, token, "PATCH", path, `[{"op":"replace","path":"/protected","value":false}]`)
		w.glance(t, token, "DELETE", path, "")
		deleted++
	}
	require.NotZero(t, deleted, "the image has no layers")
}

func (w *world) glance(t *testing.T, token, method, path, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.GlanceURL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Auth-Token", token)
	if body != "" {
		req.Header.Set("Content-Type", "application/openstack-images-v2.1-json-patch")
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Less(t, resp.StatusCode, 300, "%s %s: %s", method, path, b)
	return b
}

// glanceFailsAPush has Docker send a layer twice. That a failed upload leaves nothing in Glance, and that a
// push whose every try fails leaves no tag, is tested with the registry.
func (w *world) glanceFailsAPush(t *testing.T) {
	w.Glance.FailAfter(100) // in the middle of the first layer
	w.pushUnique(t, "demo")
	w.create(t, "web", "demo/unique:v1")
	w.Must(t, "demo", "server", "delete", "web")
}

func (w *world) hostIsFrozen(t *testing.T) {
	w.Must(t, "admin", "host", "uncordon", "idle")
	w.Must(t, "admin", "host", "cordon", "fail")
	w.create(t, "ice", "demo/web:v1")
	w.Must(t, "admin", "host", "uncordon", "fail")
	w.Must(t, "admin", "host", "cordon", "idle")
	pid := w.Host("idle").PID()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }() // also when the test ends early

	sync := make(chan process.Result)
	go func() { sync <- w.Run(t, "demo", "server", "sync", "ice") }()
	w.create(t, "fire", "demo/web:v1")
	w.Must(t, "demo", "server", "delete", "fire")
	r := <-sync
	assert.Equal(t, 6, r.Code, r.Err)
	assert.Contains(t, r.Err, "host idle did not answer within")
	process.Await(t, "the server to be unknown", func() bool {
		return w.Must(t, "demo", "server", "show", "ice", "--format", "{{.presence}}") == "unknown"
	})
	w.Must(t, "demo", "server", "delete", "ice", "--no-wait")
	assert.Equal(t, "absent", w.Must(t, "demo", "server", "show", "ice", "--format", "{{.desired}}"), "it waits for the host")

	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	process.Await(t, "the delete", func() bool { return w.Run(t, "demo", "server", "show", "ice").Code == 3 })
}

func (w *world) create(t *testing.T, name, image string) {
	t.Helper()
	task, err := w.client.Create(t.Context(), request(name, image))
	require.NoError(t, err)
	w.ends(t, task, "")
}

func request(name, image string) set.CreateRequest {
	return set.CreateRequest{Name: name, Spec: set.Spec{Resources: set.Resources{CPU: 50, Memory: 64 << 20},
		Containers: []set.Container{{Name: "web", Image: image}}}}
}

// ends waits for a task and checks its fault: its code, none if that is empty, and words of its sentence.
func (w *world) ends(t *testing.T, task set.Task, code string, words ...string) {
	t.Helper()
	var end set.Task
	process.Await(t, "the task to end", func() (final bool) {
		var err error
		end, err = w.tasks.Task(t.Context(), task.ID, 0)
		return err == nil && end.State.Final()
	})
	if code == "" {
		require.Nil(t, end.Fault, "%+v", end.Fault)
		return
	}
	require.NotNil(t, end.Fault)
	assert.Equal(t, code, end.Fault.Code, end.Fault.Message)
	for _, word := range words {
		assert.Contains(t, end.Fault.Message, word)
	}
	assert.NotContains(t, end.Fault.Message, "\n", "a fault is one sentence")
	t.Log(end.Fault.Message)
}

// get asks the region and returns status and body.
func (w *world) get(t *testing.T, path, token string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Region.URL+path, nil)
	require.NoError(t, err)
	req.Header.Set("X-Auth-Token", token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}
