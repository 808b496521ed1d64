package registry_test

import (
	"net/http"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image/imagetest"
)

func TestManifestsOfAnyTypeAreKeptAsTheyCame(t *testing.T) {
	s, blob := newServer(t, nil), []byte("blob")
	s.upload("demo/app", blob)
	body := []byte(`{ "blobs": [{"digest":"` + sum(blob) + `","size":4}], "anything": [1, 2] }`)
	typed := map[string]string{"Content-Type": "application/vnd.example.bundle+json"}
	s.want(http.StatusCreated, ask{method: "PUT", path: "/v2/demo/app/manifests/any", body: body, header: typed})
	r := s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/manifests/any"})
	require.Equal(t, body, r.body)
	require.Equal(t, typed["Content-Type"], r.header.Get("Content-Type"))
	missing := []byte(`{"layers":[{"digest":"` + sum([]byte("gone")) + `","size":4}]}`)
	require.Equal(t, "MANIFEST_BLOB_UNKNOWN", s.want(http.StatusNotFound, ask{method: "PUT", path: "/v2/demo/app/manifests/2", body: missing, header: typed}).code(t))
}

func TestSHA512IsADigestLikeAnyOther(t *testing.T) {
	s, blob := newServer(t, nil), []byte("blob")
	d := digest.SHA512.FromBytes(blob)
	r := s.want(http.StatusCreated, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=" + d.String(), body: blob})
	require.Equal(t, d.String(), r.header.Get("Docker-Content-Digest"))
	require.Equal(t, blob, s.want(http.StatusOK, ask{method: "GET", path: r.header.Get("Location")}).body)
	s.want(http.StatusCreated, ask{method: "POST", path: "/v2/demo/other/blobs/uploads/?mount=" + d.String() + "&from=demo/app"})
	wrong := digest.SHA512.FromString("another")
	require.Equal(t, "DIGEST_INVALID", s.want(http.StatusBadRequest, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=" + wrong.String(), body: blob}).code(t))

	body := []byte(`{"layers":[{"digest":"` + d.String() + `","size":4}]}`)
	at := "/v2/demo/app/manifests/" + digest.SHA512.FromBytes(body).String()
	typed := map[string]string{"Content-Type": "application/vnd.example+json"}
	r = s.want(http.StatusCreated, ask{method: "PUT", path: at, body: body, header: typed})
	require.Equal(t, at, r.header.Get("Location"))
	require.Equal(t, body, s.want(http.StatusOK, ask{method: "GET", path: at}).body)
	require.Equal(t, "DIGEST_INVALID", s.want(http.StatusBadRequest, ask{method: "PUT", path: "/v2/demo/app/manifests/" + wrong.String(), body: body, header: typed}).code(t))
	s.want(http.StatusAccepted, ask{method: "DELETE", path: at})
	s.want(http.StatusNotFound, ask{method: "HEAD", path: at})
}

func TestTagsComeWithADigest(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a")
	s.push("demo/app", "first", f)
	at := "/v2/demo/app/manifests/" + f.Manifest.Digest.String()
	typed := map[string]string{"Content-Type": f.Manifest.MediaType}
	r := s.want(http.StatusCreated, ask{method: "PUT", path: at + "?tag=1&tag=1.2", body: f.Manifest.Body, header: typed})
	require.Equal(t, []string{"1", "1.2"}, r.header.Values("OCI-Tag"))
	for _, tag := range []string{"1", "1.2"} {
		require.Equal(t, f.Manifest.Body, s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/manifests/" + tag}).body)
	}
	for _, path := range []string{at + "?tag=-x", at + "?tag=", at + "?tag=a@" + sum(nil), at + "?tag=ok&tag=a/b", "/v2/demo/app/manifests/other?tag=1"} {
		require.Equal(t, "MANIFEST_INVALID", s.want(http.StatusBadRequest, ask{method: "PUT", path: path, body: f.Manifest.Body, header: typed}).code(t), path)
	}
	s.want(http.StatusNotFound, ask{method: "HEAD", path: "/v2/demo/app/manifests/ok"})
}

func TestABlobIsDeletedWhenNoManifestNeedsIt(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a")
	s.push("demo/app", "1", f)
	layer := "/v2/demo/app/blobs/" + sum(f.Layers[0])
	require.Equal(t, "DENIED", s.want(http.StatusForbidden, ask{method: "DELETE", path: layer}).code(t))
	s.want(http.StatusOK, ask{method: "HEAD", path: layer})
	s.want(http.StatusAccepted, ask{method: "DELETE", path: "/v2/demo/app/manifests/" + f.Manifest.Digest.String()})
	s.want(http.StatusForbidden, ask{method: "DELETE", path: layer, token: "alt"})
	require.EqualValues(t, 0, length(s.want(http.StatusAccepted, ask{method: "DELETE", path: layer})))
	s.want(http.StatusNotFound, ask{method: "HEAD", path: layer})
	require.Equal(t, "BLOB_UNKNOWN", s.want(http.StatusNotFound, ask{method: "DELETE", path: layer}).code(t))
	require.Equal(t, "DIGEST_INVALID", s.want(http.StatusBadRequest, ask{method: "DELETE", path: "/v2/demo/app/blobs/sha256:1"}).code(t))
}
