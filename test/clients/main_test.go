// Package clients pushes and pulls with the clients that others wrote: docker, skopeo, podman and crane, which is
// go-containerregistry. Each runs on a Keystone and a Glance box and on the real services. The module in ggcr pins crane.
package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/registry/front"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
)

// site is a registry and a user of it, alt in a project of that name.
type site struct {
	t        *testing.T
	registry string // host:port
	auth     string // URL of Keystone
	password string
	dir      string       // for what the clients keep
	sent     atomic.Int64 // bytes of bodies that came with uploads
	secrets
	keystone *authntest.Keystone // nil for the real one
	glance   *imagetest.Glance   // nil for the real one
}

// onEverySite runs a test on the boxes, then on the real services.
func onEverySite(t *testing.T, test func(*site)) {
	t.Run("boxes", func(t *testing.T) { test(boxes(t)) })
	t.Run("real services", func(t *testing.T) {
		s := newSite(t, setting(t, "MOSET_TEST_KEYSTONE"), setting(t, "MOSET_TEST_GLANCE"), setting(t, "MOSET_TEST_KEYSTONE_PASSWORD"))
		t.Cleanup(s.empty)
		test(s)
	})
}

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: start the services with scripts/machine and scripts/openstack, or run make test", name)
	return value
}

const boxPassword = "pa55word-of-the-box"

// boxes serves a Keystone and a Glance of our own making.
func boxes(t *testing.T) *site {
	box, err := authntest.New(authntest.Config{Users: []authntest.User{
		{Name: "alt", Password: boxPassword, Projects: map[string][]string{"alt": {"member"}}},
		{Name: "moset", Password: boxPassword, Projects: map[string][]string{"service": {"service", "admin"}}},
	}})
	require.NoError(t, err)
	k := httptest.NewServer(box)
	t.Cleanup(k.Close)
	session, err := keystone.Connect(t.Context(), keystone.Credentials{AuthURL: k.URL + "/v3", UserName: "moset", Password: boxPassword, ProjectName: "service"})
	require.NoError(t, err)
	glance, err := imagetest.NewGlance(imagetest.GlanceConfig{Tokens: checker{keystone.NewVerifier(session, 0)}, Hash: "sha256"})
	require.NoError(t, err)
	g := httptest.NewServer(glance)
	t.Cleanup(g.Close)
	s := newSite(t, k.URL+"/v3", g.URL, boxPassword)
	s.keystone, s.glance = box, glance
	return s
}

// checker lets the Glance box ask Keystone.
type checker struct{ authn.Verifier }

// Check implements imagetest.TokenChecker.
func (c checker) Check(ctx context.Context, token string) (imagetest.Caller, error) {
	id, err := c.Verify(ctx, token)
	if err != nil {
		return imagetest.Caller{}, fmt.Errorf("%w: %w", image.ErrUnauthorized, err)
	}
	return imagetest.Caller{ProjectID: id.ProjectID, Roles: id.Roles}, nil
}

// newSite serves the registry daemon's own handler.
func newSite(t *testing.T, auth, glance, password string) *site {
	t.Helper()
	session, err := keystone.Connect(t.Context(), keystone.Credentials{AuthURL: auth, UserName: "moset", Password: password, ProjectName: "service"})
	require.NoError(t, err)
	s := &site{t: t, auth: auth, password: password}
	h, err := front.New(front.Config{AuthURL: auth, GlanceURL: glance, Verifier: authn.NewCached(keystone.NewVerifier(session, 0), authn.CacheConfig{}),
		Logger: slog.New(slog.NewJSONHandler(&s.secrets, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))})
	require.NoError(t, err)
	s.hide(password)
	dir, err := os.MkdirTemp("", "moset-clients-") // what runs as another user looks into it
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.dir = dir
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hideRequest(r)
		h.ServeHTTP(w, r)
		if strings.Contains(r.URL.Path, "/blobs/uploads/") && r.ContentLength != 0 {
			s.sent.Add(max(r.ContentLength, 1)) // a chunked body says -1
		}
	}))
	t.Cleanup(func() { srv.Close(); require.NoError(t, h.Close()); s.assertUnlogged(t) })
	s.registry = strings.TrimPrefix(srv.URL, "http://")
	return s
}

// try runs a program with files of its own.
func (s *site) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "DOCKER_CONFIG="+s.dir, "REGISTRY_AUTH_FILE="+s.authFile(), "XDG_RUNTIME_DIR="+s.dir, "TMPDIR="+s.dir)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s%s", strings.Join(args, " "), err, &out, &problem)
	}
	return strings.TrimSpace(out.String()), nil
}

func (s *site) run(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	require.NoError(s.t, err)
	return out
}

func (s *site) authFile() string { return filepath.Join(s.dir, "auth.json") }

// name is the image of that name in project alt.
func (s *site) name(image string) string { return s.registry + "/alt/" + image }

// empty deletes all tags of the project, so that tests after this one find nothing.
func (s *site) empty() {
	var catalog struct{ Repositories []string }
	require.NoError(s.t, json.Unmarshal(s.get("/v2/_catalog"), &catalog))
	for _, repo := range catalog.Repositories {
		var list struct{ Tags []string }
		require.NoError(s.t, json.Unmarshal(s.get("/v2/"+repo+"/tags/list"), &list))
		for _, tag := range list.Tags {
			s.call(http.MethodDelete, "http://"+s.registry+"/v2/"+repo+"/manifests/"+tag, "Authorization", "Bearer "+s.token(), nil)
		}
	}
}

func (s *site) get(path string) []byte {
	s.t.Helper()
	return s.call(http.MethodGet, "http://"+s.registry+path, "Authorization", "Bearer "+s.token(), nil)
}

func (s *site) token() string { return s.grant().Token }

func (s *site) grant() keystone.Grant {
	s.t.Helper()
	g, err := keystone.Issue(context.WithoutCancel(s.t.Context()), keystone.Credentials{AuthURL: s.auth, UserName: "alt", Password: s.password, ProjectName: "alt"})
	require.NoError(s.t, err)
	return g
}

// call sends one request with one header that has to succeed.
func (s *site) call(method, url, header, value string, body []byte) []byte {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), method, url, bytes.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set(header, value)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(resp.Body)
	require.NoError(s.t, err)
	require.Less(s.t, resp.StatusCode, 300, "%s %s: %s", method, url, &out)
	return out.Bytes()
}

// applicationCredential makes one for alt.
func (s *site) applicationCredential() (id, secret string) {
	s.t.Helper()
	g := s.grant()
	body := fmt.Sprintf(`{"application_credential":{"name":"clients-%d","secret":"a secret of the test"}}`, time.Now().UnixNano())
	url := s.auth + "/users/" + g.Identity.UserID + "/application_credentials"
	var made struct {
		Cred struct{ ID string } `json:"application_credential"`
	}
	require.NoError(s.t, json.Unmarshal(s.call(http.MethodPost, url, "X-Auth-Token", g.Token, []byte(body)), &made))
	s.t.Cleanup(func() { s.call(http.MethodDelete, url+"/"+made.Cred.ID, "X-Auth-Token", s.token(), nil) })
	s.hide("a secret of the test")
	return made.Cred.ID, "a secret of the test"
}
