package registry_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image/imagetest"
)

// TestErrorsAreThoseOfTheSpecification compares whole answers: status, code, and a body of nothing else.
func TestErrorsAreThoseOfTheSpecification(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a")
	s.push("demo/app", "1", f)
	at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	none := sum([]byte("none"))
	for _, c := range []struct {
		status int
		code   string
		ask    ask
	}{
		{404, "MANIFEST_UNKNOWN", ask{method: "GET", path: "/v2/demo/app/manifests/none"}},
		{404, "MANIFEST_UNKNOWN", ask{method: "GET", path: "/v2/demo/app/manifests/" + none}},
		{404, "MANIFEST_UNKNOWN", ask{method: "DELETE", path: "/v2/demo/app/manifests/none"}},
		{400, "DIGEST_INVALID", ask{method: "GET", path: "/v2/demo/app/manifests/sha256:none"}},
		{400, "DIGEST_INVALID", ask{method: "PUT", path: "/v2/demo/app/manifests/sha256:none", body: f.Manifest.Body}},
		{400, "MANIFEST_INVALID", ask{method: "PUT", path: "/v2/demo/app/manifests/2", body: []byte("[]")}},
		{404, "BLOB_UNKNOWN", ask{method: "GET", path: "/v2/demo/app/blobs/" + none}},
		{400, "DIGEST_INVALID", ask{method: "GET", path: "/v2/demo/app/blobs/none"}},
		{400, "DIGEST_INVALID", ask{method: "GET", path: "/v2/demo/app/blobs/md5:900150983cd24fb0d6963f7d28e17f72"}},
		{404, "NAME_UNKNOWN", ask{method: "GET", path: "/v2/demo/none/tags/list"}},
		{400, "NAME_INVALID", ask{method: "GET", path: "/v2/demo/NONE/tags/list"}},
		{404, "BLOB_UPLOAD_UNKNOWN", ask{method: "PATCH", path: "/v2/demo/app/blobs/uploads/none", body: []byte("x")}},
		{404, "BLOB_UPLOAD_UNKNOWN", ask{method: "PUT", path: "/v2/demo/app/blobs/uploads/none?digest=" + none}},
		{400, "DIGEST_INVALID", ask{method: "PUT", path: at}},
		{400, "DIGEST_INVALID", ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=none", body: []byte("x")}},
		{400, "BLOB_UPLOAD_INVALID", ask{method: "PATCH", path: at, body: []byte("x"), header: map[string]string{"Content-Range": "none"}}},
		{400, "SIZE_INVALID", ask{method: "PATCH", path: at, body: []byte("x"), header: map[string]string{"Content-Range": "0-1"}}},
		{416, "BLOB_UPLOAD_INVALID", ask{method: "PATCH", path: at, body: []byte("x"), header: map[string]string{"Content-Range": "1-1"}}},
		{416, "SIZE_INVALID", ask{method: "GET", path: "/v2/demo/app/blobs/" + sum(f.Config), header: map[string]string{"Range": "bytes=5-4"}}},
		{403, "DENIED", ask{method: "PUT", path: "/v2/demo/app/manifests/1", token: "alt", body: f.Manifest.Body}},
		{401, "UNAUTHORIZED", ask{method: "GET", path: "/v2/demo/app/manifests/1", token: "-"}},
		{405, "UNSUPPORTED", ask{method: "POST", path: "/v2/demo/app/manifests/1"}},
	} {
		r := s.want(c.status, c.ask)
		var body map[string][]map[string]string
		require.NoError(t, json.Unmarshal(r.body, &body), "%s %s: %s", c.ask.method, c.ask.path, r.body)
		require.Equal(t, "application/json", r.header.Get("Content-Type"))
		require.Len(t, body, 1)
		require.Len(t, body["errors"], 1)
		require.Equal(t, c.code, body["errors"][0]["code"], "%s %s: %s", c.ask.method, c.ask.path, r.body)
		require.NotEmpty(t, body["errors"][0]["message"])
		require.Len(t, body["errors"][0], 2)
	}
}

func TestAHeadThatFailsHasNoBody(t *testing.T) {
	s := newServer(t, nil)
	for _, path := range []string{"/v2/demo/app/manifests/none", "/v2/demo/app/blobs/" + sum(nil)} {
		require.Empty(t, s.want(http.StatusNotFound, ask{method: "HEAD", path: path}).body)
	}
}

func TestAWrongMethodIsToldTheRightOnes(t *testing.T) {
	r := newServer(t, nil).want(http.StatusMethodNotAllowed, ask{method: "PATCH", path: "/v2/demo/app/blobs/" + sum(nil)})
	require.Equal(t, "DELETE, GET, HEAD", r.header.Get("Allow"))
}
