package registry_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// newGlanceServer is a registry on a Glance box.
func newGlanceServer(t *testing.T) (*server, *imagetest.Glance) {
	box, err := imagetest.NewGlance(imagetest.GlanceConfig{Hash: "sha256",
		Tokens: imagetest.FixedTokens{"demo": {ProjectID: "id-demo", Roles: []string{"member"}}}})
	require.NoError(t, err)
	g := httptest.NewServer(box)
	t.Cleanup(g.Close)
	return newServer(t, func(c *registry.Config) {
		c.Stores = func(_ context.Context, id registry.Identity) (image.Store, error) {
			return glance.New(glance.Config{Endpoint: g.URL, Token: "demo", ProjectID: id.ProjectID, Project: id.Project})
		}
	}), box
}

func TestAPushThatGlanceFailsHalfWaySaysSoAndLeavesNothing(t *testing.T) {
	s, box := newGlanceServer(t)
	f := imagetest.NewFixture("a", "b")
	for range 3 { // clients try again
		box.FailAfter(10)
		at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
		r := s.do(ask{method: "PATCH", path: at, body: f.Layers[0], chunked: true})
		if r.status == http.StatusAccepted {
			r = s.do(ask{method: "PUT", path: at + "?digest=" + sum(f.Layers[0])})
		}
		require.Equal(t, http.StatusServiceUnavailable, r.status, "%s", r.body)
		assert.NotEmpty(t, r.code(t))
		assert.NotContains(t, string(r.body), "<html>", "Glance's page is not for the client")
	}
	put := ask{method: "PUT", path: "/v2/demo/app/manifests/1", body: f.Manifest.Body, header: map[string]string{"Content-Type": f.Manifest.MediaType}}
	require.Equal(t, "MANIFEST_BLOB_UNKNOWN", s.want(http.StatusNotFound, put).code(t))
	s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/manifests/1"})
	s.want(http.StatusNotFound, ask{method: "HEAD", path: "/v2/demo/app/blobs/" + sum(f.Layers[0])})

	box.FailAfter(-1)
	s.push("demo/app", "1", f)
	s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/manifests/1"})
}

func TestGlanceDownIsAnOutageForPushAndPull(t *testing.T) {
	s, box := newGlanceServer(t)
	f := imagetest.NewFixture("a")
	s.push("demo/app", "1", f)
	box.SetDown(true)
	for _, a := range []ask{
		{method: "GET", path: "/v2/demo/app/manifests/1"},
		{method: "GET", path: "/v2/demo/app/blobs/" + sum(f.Layers[0])},
		{method: "GET", path: "/v2/demo/app/tags/list"},
		{method: "PUT", path: "/v2/demo/app/manifests/2", body: f.Manifest.Body, header: map[string]string{"Content-Type": f.Manifest.MediaType}},
	} {
		s.want(http.StatusServiceUnavailable, a).code(t)
	}
	box.SetDown(false)
	s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/manifests/1"})
	s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/manifests/2"})
}

func TestALayerGoneFromGlanceIsUnknownUntilItIsPushedAgain(t *testing.T) {
	s, box := newGlanceServer(t)
	f := imagetest.NewFixture("a", "b")
	s.push("demo/app", "1", f)
	deleteLayers(t, box)
	lost := ask{method: "GET", path: "/v2/demo/app/blobs/" + sum(f.Layers[0])}
	require.Equal(t, "BLOB_UNKNOWN", s.want(http.StatusNotFound, lost).code(t))
	s.push("demo/app", "1", f)
	require.Equal(t, f.Layers[0], s.want(http.StatusOK, lost).body)
}

// deleteLayers deletes every layer in Glance behind the registry's back.
func deleteLayers(t *testing.T, box http.Handler) {
	t.Helper()
	deleted := 0
	for _, i := range records(t, box) {
		if i["docker_kind"] != "layer" {
			continue
		}
		path := "/v2/images/" + i["id"].(string)
		callGlance(t, box, "PATCH", path, `[{"op":"replace","path":"/protected","value":false}]`)
		callGlance(t, box, "DELETE", path, "")
		deleted++
	}
	require.NotZero(t, deleted)
}

// records are all that Glance has, hidden or not.
func records(t *testing.T, box http.Handler) (all []map[string]any) {
	t.Helper()
	for _, hidden := range []string{"true", "false"} {
		var list struct{ Images []map[string]any }
		require.NoError(t, json.Unmarshal(callGlance(t, box, "GET", "/v2/images?limit=1000&os_hidden="+hidden, ""), &list))
		all = append(all, list.Images...)
	}
	return all
}

func callGlance(t *testing.T, box http.Handler, method, path, body string) []byte {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", "demo")
	if body != "" {
		r.Header.Set("Content-Type", "application/openstack-images-v2.1-json-patch")
	}
	w := httptest.NewRecorder()
	box.ServeHTTP(w, r)
	require.Less(t, w.Code, 300, "%s %s: %s", method, path, w.Body)
	return w.Body.Bytes()
}
