package registry_test

import (
	"net/http"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

func sum(b []byte) string { return digest.FromBytes(b).String() }

func TestAPushedImageIsPulledByteForByte(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a", "b", "c")
	s.push("demo/app", "1", f)
	for _, at := range []string{"1", f.Manifest.Digest.String()} {
		for _, method := range []string{"GET", "HEAD"} {
			r := s.want(http.StatusOK, ask{method: method, path: "/v2/demo/app/manifests/" + at})
			require.Equal(t, f.Manifest.Digest.String(), r.header.Get("Docker-Content-Digest"))
			require.Equal(t, f.Manifest.MediaType, r.header.Get("Content-Type"))
			require.Equal(t, int64(len(f.Manifest.Body)), length(r))
			if method == "GET" {
				require.Equal(t, f.Manifest.Body, r.body)
			}
		}
	}
	for _, blob := range f.Layers {
		path := "/v2/demo/app/blobs/" + sum(blob)
		require.Equal(t, blob, s.want(http.StatusOK, ask{method: "GET", path: path}).body)
		require.Equal(t, int64(len(blob)), length(s.want(http.StatusOK, ask{method: "HEAD", path: path})))
	}
}

func length(r reply) int64 {
	var n int64
	for _, c := range r.header.Get("Content-Length") {
		n = n*10 + int64(c-'0')
	}
	return n
}

func TestAnIndexIsAcceptedAfterItsImages(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a")
	x := imagetest.NewIndex(f)
	put := ask{method: "PUT", path: "/v2/demo/app/manifests/all", body: x.Body, header: map[string]string{"Content-Type": v1.MediaTypeImageIndex}}
	require.Equal(t, "MANIFEST_BLOB_UNKNOWN", s.want(http.StatusNotFound, put).code(t))
	s.push("demo/app", "1", f)
	s.want(http.StatusCreated, put)
}

func TestABlobIsServedInParts(t *testing.T) {
	s := newServer(t, nil)
	blob := []byte("0123456789")
	s.upload("demo/app", blob)
	path := "/v2/demo/app/blobs/" + sum(blob)
	for header, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-2": "89", "bytes=8-99": "89", "bytes=0-0": "0"} {
		r := s.want(http.StatusPartialContent, ask{method: "GET", path: path, header: map[string]string{"Range": header}})
		assert.Equal(t, want, string(r.body), header)
	}
	r := s.want(http.StatusPartialContent, ask{method: "GET", path: path, header: map[string]string{"Range": "bytes=2-4"}})
	require.Equal(t, "bytes 2-4/10", r.header.Get("Content-Range"))
	r = s.want(http.StatusRequestedRangeNotSatisfiable, ask{method: "GET", path: path, header: map[string]string{"Range": "bytes=10-"}})
	require.Equal(t, "bytes */10", r.header.Get("Content-Range"))
	s.want(http.StatusRequestedRangeNotSatisfiable, ask{method: "GET", path: path, header: map[string]string{"Range": "bytes=5-4"}})
	for _, odd := range []string{"bytes=1-2,4-5", "lines=1-2", "bytes=a-b"} {
		require.Equal(t, blob, s.want(http.StatusOK, ask{method: "GET", path: path, header: map[string]string{"Range": odd}}).body, odd)
	}
}

func TestChunksAreTakenInOrder(t *testing.T) {
	s := newServer(t, nil)
	at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	chunk := func(status int, place, body string) reply {
		return s.want(status, ask{method: "PATCH", path: at, body: []byte(body), header: map[string]string{"Content-Range": place}})
	}
	require.Equal(t, "0-2", chunk(http.StatusAccepted, "0-2", "abc").header.Get("Range"))
	early := chunk(http.StatusRequestedRangeNotSatisfiable, "5-7", "fgh")
	require.Equal(t, "0-2", early.header.Get("Range"))
	require.Equal(t, "BLOB_UPLOAD_INVALID", early.code(t))
	chunk(http.StatusBadRequest, "3-9", "de")
	chunk(http.StatusBadRequest, "x", "de")
	require.Equal(t, "0-2", s.want(http.StatusNoContent, ask{method: "GET", path: at}).header.Get("Range"))
	chunk(http.StatusAccepted, "3-4", "de")
	s.want(http.StatusCreated, ask{method: "PUT", path: at + "?digest=" + sum([]byte("abcdefg")), body: []byte("fg")})
	require.Equal(t, "abcdefg", string(s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/blobs/" + sum([]byte("abcdefg"))}).body))
}

func TestABlobMayComeInOneRequest(t *testing.T) {
	s, blob := newServer(t, nil), []byte("whole")
	s.want(http.StatusCreated, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=" + sum(blob), body: blob})
	s.want(http.StatusOK, ask{method: "HEAD", path: "/v2/demo/app/blobs/" + sum(blob)})
}

func TestAMountWithinTheProjectUploadsNothing(t *testing.T) {
	s, blob := newServer(t, nil), []byte("shared")
	s.upload("demo/one", blob)
	for from, status := range map[string]int{"demo/one": http.StatusCreated, "": http.StatusCreated, "alt/one": http.StatusAccepted} {
		s.want(status, ask{method: "POST", path: "/v2/demo/two/blobs/uploads/?mount=" + sum(blob) + "&from=" + from})
	}
	s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/two/blobs/uploads/?mount=" + sum([]byte("unknown")) + "&from=demo/one"})
}

func TestWrongBytesEndTheUpload(t *testing.T) {
	s := newServer(t, nil)
	at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	require.Equal(t, "DIGEST_INVALID", s.want(http.StatusBadRequest, ask{method: "PUT", path: at + "?digest=nonsense"}).code(t))
	r := s.want(http.StatusBadRequest, ask{method: "PUT", path: at + "?digest=" + sum([]byte("right")), body: []byte("wrong")})
	require.Equal(t, "DIGEST_INVALID", r.code(t))
	require.Equal(t, "BLOB_UPLOAD_UNKNOWN", s.want(http.StatusNotFound, ask{method: "GET", path: at}).code(t))
	require.Equal(t, "BLOB_UNKNOWN", s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/blobs/" + sum([]byte("right"))}).code(t))
}

func TestAnUploadIsCancelled(t *testing.T) {
	s := newServer(t, nil)
	at := s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
	s.want(http.StatusNotFound, ask{method: "GET", path: at, token: "alt"}.denied())
	s.want(http.StatusNoContent, ask{method: "DELETE", path: at})
	s.want(http.StatusNotFound, ask{method: "PATCH", path: at, body: []byte("x")})
}

// denied sends the same upload id under the other project's own repository.
func (a ask) denied() ask {
	a.path = "/v2/alt/app" + a.path[len("/v2/demo/app"):]
	return a
}

func TestBodiesAreBounded(t *testing.T) {
	s := newServer(t, func(c *registry.Config) { c.MaxBlob = 10; c.Uploads = 2 })
	big := make([]byte, image.MaxManifest+1)
	r := s.want(http.StatusRequestEntityTooLarge, ask{method: "PUT", path: "/v2/demo/app/manifests/1", body: big})
	require.Equal(t, "MANIFEST_INVALID", r.code(t))
	r = s.want(http.StatusRequestEntityTooLarge, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=" + sum(big), body: big[:11], chunked: true})
	require.Equal(t, "SIZE_INVALID", r.code(t))
	s.want(http.StatusCreated, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=" + sum(big[:10]), body: big[:10]})
	for range 2 {
		s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"})
	}
	require.Equal(t, "TOOMANYREQUESTS", s.want(http.StatusTooManyRequests, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).code(t))
}

func TestBadManifestsAreRefused(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a")
	s.push("demo/app", "1", f)
	type bad struct {
		at, mediaType, code string
		body                []byte
		status              int
	}
	for name, b := range map[string]bad{
		"no JSON":            {"1", v1.MediaTypeImageManifest, "MANIFEST_INVALID", []byte("{"), 400},
		"schema 1":           {"1", "application/vnd.docker.distribution.manifest.v1+json", "MANIFEST_INVALID", []byte(`{"schemaVersion":1}`), 400},
		"another type":       {"1", v1.MediaTypeImageIndex, "MANIFEST_INVALID", f.Manifest.Body, 400},
		"another digest":     {sum([]byte("x")), v1.MediaTypeImageManifest, "DIGEST_INVALID", f.Manifest.Body, 400},
		"a tag that is none": {"-x", v1.MediaTypeImageManifest, "MANIFEST_INVALID", f.Manifest.Body, 400},
		"missing blobs":      {"2", v1.MediaTypeImageManifest, "MANIFEST_BLOB_UNKNOWN", imagetest.NewFixture("b").Manifest.Body, 404},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.want(b.status, ask{method: "PUT", path: "/v2/demo/app/manifests/" + b.at, body: b.body, header: map[string]string{"Content-Type": b.mediaType}})
			require.Equal(t, b.code, r.code(t))
		})
	}
}

func TestTagsAndManifestsAreDeleted(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a")
	s.push("demo/app", "1", f)
	s.push("demo/app", "2", f)
	s.want(http.StatusAccepted, ask{method: "DELETE", path: "/v2/demo/app/manifests/1"})
	require.Equal(t, "MANIFEST_UNKNOWN", s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/manifests/1"}).code(t))
	s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/manifests/2"})
	s.want(http.StatusAccepted, ask{method: "DELETE", path: "/v2/demo/app/manifests/" + f.Manifest.Digest.String()})
	require.Equal(t, "NAME_UNKNOWN", s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/tags/list"}).code(t))
}

func TestListsArePaged(t *testing.T) {
	s, f := newServer(t, nil), imagetest.NewFixture("a")
	for _, tag := range []string{"c", "a", "b"} {
		s.push("demo/app", tag, f)
	}
	s.push("demo/other", "1", f)
	for query, want := range map[string]string{"": `"a","b","c"`, "?n=2": `"a","b"`, "?n=2&last=b": `"c"`, "?last=aa": `"b","c"`, "?n=0": ""} {
		r := s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/tags/list" + query})
		assert.JSONEq(t, `{"name":"demo/app","tags":[`+want+`]}`, string(r.body), query)
	}
	r := s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/tags/list?n=2"})
	require.Equal(t, `</v2/demo/app/tags/list?last=b&n=2>; rel="next"`, r.header.Get("Link"))
	require.Empty(t, s.want(http.StatusOK, ask{method: "GET", path: "/v2/demo/app/tags/list?n=2&last=b"}).header.Get("Link"), "the last page")
	for _, n := range []string{"x", "-1", "99999999999999999999"} {
		require.Equal(t, "UNSUPPORTED", s.want(http.StatusBadRequest, ask{method: "GET", path: "/v2/demo/app/tags/list?n=" + n}).code(t))
	}
	r = s.want(http.StatusOK, ask{method: "GET", path: "/v2/_catalog?n=1"})
	require.JSONEq(t, `{"repositories":["demo/app"]}`, string(r.body))
}
