package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/moset/moset/daemons/region/api"
	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store/memory"
	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hostKey = "a key of region and hosts"

// tokens verifies "token-" and a user's name.
type tokens map[string]authn.Identity

func (t tokens) Verify(_ context.Context, token string) (*authn.Identity, error) {
	id, ok := t[strings.TrimPrefix(token, "token-")]
	if !ok {
		return nil, authn.ErrInvalidToken
	}
	return &id, nil
}

var users = tokens{
	"member": {UserID: "u1", ProjectID: "p1", ProjectName: "project", Roles: []string{"member", "reader"}},
	"reader": {UserID: "u2", ProjectID: "p1", ProjectName: "project", Roles: []string{"reader"}},
	"other":  {UserID: "u3", ProjectID: "p2", ProjectName: "other", Roles: []string{"member"}},
	"admin":  {UserID: "u4", ProjectID: "p3", ProjectName: "admin", Roles: []string{"admin"}},
	"nobody": {UserID: "u5", ProjectID: "p1", ProjectName: "project", Roles: []string{"passer-by"}},
}

type images struct{}

func (images) Resolve(_ context.Context, ref string, c controller.Caller) (set.Image, error) {
	if c.Token == "" || strings.HasPrefix(ref, "missing:") {
		return set.Image{}, fmt.Errorf("%w: %s", set.ErrNotFound, ref)
	}
	return set.Image{Ref: c.ProjectName + "/app:1", Digest: settest.Digest("c"), Size: 1000}, nil
}

// log collects what slog writes.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// world is a region behind HTTP with one host of fakes.
type world struct {
	url  string
	host *settest.Fakes
	log  *log
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{host: settest.NewFakes(), log: &log{}}
	logger := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	m := settest.NewManager(t, w.host)
	db := memory.New()
	networks := ipam.New(ipam.Config{Store: db})
	c, err := controller.New(t.Context(), controller.Config{Store: db, Networks: networks, Images: images{}, Logger: logger,
		Dial: func(controller.Host) (set.Agent, error) { return m, nil }})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	key, err := authn.NewSharedKey(hostKey)
	require.NoError(t, err)
	server := httptest.NewServer(api.New(api.Config{Controller: c, Networks: networks, Verifier: users, KeystoneURL: "http://keystone", Hosts: key, Logger: logger}))
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	w.url = server.URL
	return w
}

const hostBody = `{"name":"host-1","url":"http://host-1","ready":true,"capacity":{"cpu":100000,"memory":"64Gi","pids":100000}}`

// withHost lets a host report.
func (w world) withHost(t *testing.T) world {
	t.Helper()
	w.report(t, hostBody)
	return w
}

func (w world) report(t *testing.T, body string) {
	t.Helper()
	a := w.do(t, call{method: "PUT", path: "/v1/hosts/host-1", body: body, header: map[string]string{"X-Moset-Key": hostKey}})
	require.Equal(t, http.StatusNoContent, a.status, a.body)
}

func (w world) fixture() settest.ControllerFixture {
	return settest.ControllerFixture{Mine: w.client("member"), Theirs: w.client("other"), ReadOnly: w.client("reader"), Image: "app:1", Host: w.host}
}

type call struct {
	method, path, body string
	as                 string // user; "" sends no token
	header             map[string]string
}

type answer struct {
	status int
	body   string
	header http.Header
	err    httpjson.ErrorDetail
}

func (w world) do(t *testing.T, c call) answer {
	t.Helper()
	if c.method == "" {
		c.method = "GET"
	}
	req, err := http.NewRequestWithContext(t.Context(), c.method, w.url+c.path, strings.NewReader(c.body))
	require.NoError(t, err)
	if c.as != "" {
		req.Header.Set("X-Auth-Token", "token-"+c.as)
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	a := answer{status: resp.StatusCode, body: string(b), header: resp.Header}
	if resp.StatusCode >= 400 {
		var body httpjson.ErrorBody
		require.NoError(t, json.Unmarshal(b, &body), "error bodies are JSON, not %q", b)
		a.err = body.Error
	}
	return a
}

// client is the project's Controller over HTTP.
func (w world) client(as string) *setapi.ControllerClient {
	return setapi.NewControllerClient(setapi.ClientConfig{URL: w.url, HTTP: &http.Client{Transport: &authn.Transport{Source: authn.StaticToken("token-" + as)}}})
}

const createBody = `{"name":"web","spec":{"containers":[{"name":"app","image":"app:1"}]}}`
