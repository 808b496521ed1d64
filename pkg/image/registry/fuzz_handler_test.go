package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// FuzzRequests sends the handler any request at all: it may refuse, in the form of the specification, but not fail.
func FuzzRequests(f *testing.F) {
	fixture := imagetest.NewFixture("a", "b")
	typed := fixture.Manifest.MediaType
	for _, c := range []struct{ method, path, query, ranges, contentRange, contentType, body string }{
		{"GET", "/v2/demo/app/manifests/1", "", "", "", "", ""},
		{"PUT", "/v2/demo/app/manifests/2", "tag=a", "", "", typed, string(fixture.Manifest.Body)},
		{"PUT", "/v2/demo/app/manifests/" + fixture.Manifest.Digest.String(), "tag=a&tag=b", "", "", typed, string(fixture.Manifest.Body)},
		{"GET", "/v2/demo/app/blobs/" + sum(fixture.Layers[0]), "", "bytes=1-3", "", "", ""},
		{"POST", "/v2/demo/app/blobs/uploads/", "digest=" + sum([]byte("x")), "", "", "", "x"},
		{"POST", "/v2/demo/app/blobs/uploads/", "mount=" + sum(fixture.Config) + "&from=demo/other", "", "", "", ""},
		{"PATCH", "/v2/demo/app/blobs/uploads/none", "", "", "0-0", "", "x"},
		{"GET", "/v2/demo/app/tags/list", "n=1&last=%00", "", "", "", ""},
		{"GET", "/v2/demo/app/referrers/" + sum(nil), "artifactType=a/b", "", "", "", ""},
		{"DELETE", "/v2/demo/app/blobs/sha256:..", "", "", "", "", ""},
		{"GET", "/v2/_catalog", "n=-1", "", "", "", ""},
		{"GET", "/token", "scope=repository:demo/app:pull", "", "", "", ""},
	} {
		f.Add(c.method, c.path, c.query, c.ranges, c.contentRange, c.contentType, []byte(c.body))
	}
	f.Fuzz(func(t *testing.T, method, path, query, ranges, contentRange, contentType string, body []byte) {
		cloud := imagetest.NewCloud()
		require.NoError(t, imagetest.Push(t.Context(), cloud.Store("demo"), image.Ref{Repo: "demo/app", Tag: "1"}, fixture))
		h, err := registry.New(registry.Config{Auth: identities{}, Issuer: &issued{}, Stores: func(_ context.Context, id registry.Identity) (image.Store, error) {
			return cloud.Store(id.Project), nil
		}})
		require.NoError(t, err)
		defer h.Close()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", bytes.NewReader(body))
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		r.Header = http.Header{"Authorization": {"Bearer demo"}, "Range": {ranges}, "Content-Range": {contentRange}, "Content-Type": {contentType}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Less(t, w.Code, http.StatusInternalServerError, "%s", w.Body)
		if w.Code >= http.StatusBadRequest && strings.HasPrefix(path, "/v2/") {
			var answer struct {
				Errors []struct{ Code, Message string }
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			require.Len(t, answer.Errors, 1)
			require.NotEmpty(t, answer.Errors[0].Code)
			require.NotEmpty(t, answer.Errors[0].Message)
		}
		_, err = cloud.Store("demo").Resolve(t.Context(), image.Ref{Repo: "demo/app", Digest: fixture.Manifest.Digest})
		if method != http.MethodDelete {
			require.NoError(t, err, "only DELETE takes an image away")
		}
	})
}
