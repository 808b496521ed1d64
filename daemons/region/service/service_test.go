package service_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/service"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "a key of region and hosts"

// cloud is what a region stands on: a Keystone, a Glance with one image, and a host behind HTTP.
type cloud struct {
	cfg    service.Config
	host   *settest.Fakes
	report controller.HostReport
	member *keystone.Session
}

// checker lets Glance ask Keystone.
type checker struct{ authn.Verifier }

func (c checker) Check(ctx context.Context, token string) (imagetest.Caller, error) {
	id, err := c.Verify(ctx, token)
	if err != nil {
		return imagetest.Caller{}, err
	}
	return imagetest.Caller{ProjectID: id.ProjectID, Roles: id.Roles}, nil
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func connect(t *testing.T, url, user, project string) *keystone.Session {
	t.Helper()
	s, err := keystone.Connect(t.Context(), keystone.Credentials{AuthURL: url + "/v3", UserName: user, Password: "secret", ProjectName: project})
	require.NoError(t, err)
	return s
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	box, err := authntest.New(authntest.Config{Users: []authntest.User{
		{Name: "moset", Password: "secret", Projects: map[string][]string{"service": {"service", "admin"}}},
		{Name: "ada", Password: "secret", Projects: map[string][]string{"demo": {"member", "reader"}}},
	}})
	require.NoError(t, err)
	auth := serve(t, box)
	c := &cloud{host: settest.NewFakes(), member: connect(t, auth, "ada", "demo")}
	session := connect(t, auth, "moset", "service")
	images, err := imagetest.NewGlance(imagetest.GlanceConfig{Tokens: checker{keystone.NewVerifier(session, 0)}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, images.Close()) })
	shared, err := authn.NewSharedKey(key)
	require.NoError(t, err)
	c.cfg = service.Config{Database: filepath.Join(t.TempDir(), "deep", "region.db"), Session: session, GlanceURL: serve(t, images), Hosts: shared}
	c.push(t)
	url := serve(t, shared.Middleware(setapi.AgentHandler(settest.NewManager(t, c.host))))
	c.report = controller.HostReport{Name: "host-1", URL: url, Ready: true, Capacity: set.Resources{CPU: 4000, Memory: 4 << 30, Pids: 4096}}
	return c
}

// push puts demo/app:1 into Glance as the member.
func (c *cloud) push(t *testing.T) {
	t.Helper()
	token, err := c.member.Token(t.Context())
	require.NoError(t, err)
	id := c.member.Identity()
	store, err := glance.New(glance.Config{Endpoint: c.cfg.GlanceURL, Token: token, ProjectID: id.ProjectID, Project: id.ProjectName})
	require.NoError(t, err)
	ref, err := image.ParseRef("demo/app:1", "")
	require.NoError(t, err)
	require.NoError(t, imagetest.Push(t.Context(), store, ref, imagetest.NewFixture("hello")))
}

// start starts the region and returns the member's Controller over HTTP.
func (c *cloud) start(t *testing.T) (*service.Region, *setapi.ControllerClient) {
	t.Helper()
	r, err := service.Start(t.Context(), c.cfg)
	require.NoError(t, err)
	require.NoError(t, r.Controller().Heartbeat(t.Context(), c.report))
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return r, setapi.NewControllerClient(setapi.ClientConfig{URL: serve(t, r.Handler()), HTTP: &http.Client{Transport: &authn.Transport{Source: c.member, Base: transport}}})
}

func request(ref string) set.CreateRequest {
	return set.CreateRequest{Name: "web", Spec: set.Spec{Containers: []set.Container{{Name: "app", Image: ref}}}}
}

func TestRegionRunsServersAndRemembersThem(t *testing.T) {
	c := newCloud(t)
	r, client := c.start(t)
	task, err := client.Create(t.Context(), request("app:1"))
	require.NoError(t, err)
	task, err = set.Wait(t.Context(), client, task.ID, nil)
	require.NoError(t, err)
	require.Equal(t, set.TaskDone, task.State, "%+v", task.Fault)
	s, err := client.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, "demo/app:1", s.Images["app"].Ref)
	assert.Regexp(t, "^sha256:[0-9a-f]{64}$", s.Images["app"].Digest)
	require.NoError(t, r.Close())

	r, client = c.start(t)
	again, err := client.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, s.Addresses, again.Addresses)
	assert.Equal(t, set.StateRunning, again.Status())
	task, err = client.Delete(t.Context(), "web", set.DeleteOptions{})
	require.NoError(t, err)
	task, err = set.Wait(t.Context(), client, task.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, set.TaskDone, task.State, "%+v", task.Fault)
	assert.Empty(t, c.host.Left(s.ID))
	require.NoError(t, r.Close())
}

func TestImageTheCallerCannotSeeIsRefusedAtOnce(t *testing.T) {
	c := newCloud(t)
	r, client := c.start(t)
	for ref, want := range map[string]error{
		"app:2":            set.ErrNotFound,
		"other/app:1":      set.ErrNotFound,
		"Not A Reference!": set.ErrInvalid,
	} {
		_, err := client.Create(t.Context(), request(ref))
		assert.ErrorIs(t, err, want, ref)
	}
	require.NoError(t, r.Close())
}

func TestRegionThatCannotStartSaysWhy(t *testing.T) {
	c := newCloud(t)
	alone := c.cfg
	alone.Hosts = nil
	_, err := service.Start(t.Context(), alone)
	require.ErrorContains(t, err, "give it a key or certificates")

	r, err := service.Start(t.Context(), c.cfg)
	require.NoError(t, err)
	_, err = service.Start(t.Context(), c.cfg)
	require.Error(t, err, "one process at a time has the database")
	require.NoError(t, r.Close())
}
