package registry_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image/imagetest"
)

// index reads an answer of the referrers API.
func index(t *testing.T, r reply) v1.Index {
	t.Helper()
	var x v1.Index
	require.NoError(t, json.Unmarshal(r.body, &x))
	require.Equal(t, v1.MediaTypeImageIndex, x.MediaType)
	require.Equal(t, v1.MediaTypeImageIndex, r.header.Get("Content-Type"))
	require.Equal(t, 2, x.SchemaVersion)
	require.NotNil(t, x.Manifests, "no referrers are an empty list")
	return x
}

func (s *server) referrers(path string) (v1.Index, reply) {
	s.t.Helper()
	r := s.want(http.StatusOK, ask{method: "GET", path: path})
	return index(s.t, r), r
}

func TestReferrersAreListedUnderTheirSubject(t *testing.T) {
	s, subject := newServer(t, nil), imagetest.NewFixture("a")
	path := "/v2/demo/app/referrers/" + subject.Manifest.Digest.String()
	x, _ := s.referrers(path)
	require.Empty(t, x.Manifests)
	signature := imagetest.NewArtifact("application/x.signature", subject.Manifest.Digest, "signed")
	s.push("demo/app", signature.Manifest.Digest.String(), signature)
	s.push("demo/app", "sbom", imagetest.NewArtifact("application/x.sbom", subject.Manifest.Digest, "parts"))
	x, r := s.referrers(path)
	require.Len(t, x.Manifests, 2, "before its subject is there")
	require.Empty(t, r.header.Get("OCI-Filters-Applied"))

	x, r = s.referrers(path + "?artifactType=" + url.QueryEscape("application/x.signature"))
	require.Equal(t, "artifactType", r.header.Get("OCI-Filters-Applied"))
	want := v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: signature.Manifest.Digest, Size: int64(len(signature.Manifest.Body)),
		ArtifactType: "application/x.signature", Annotations: map[string]string{"org.example.text": "signed"}}
	require.Equal(t, []v1.Descriptor{want}, x.Manifests)
	x, _ = s.referrers(path + "?artifactType=none")
	require.Empty(t, x.Manifests)
	require.Equal(t, "DIGEST_INVALID", s.want(http.StatusBadRequest, ask{method: "GET", path: "/v2/demo/app/referrers/sha256:12"}).code(t))
}

func TestAPushSaysThatItsSubjectIsKnown(t *testing.T) {
	s, subject := newServer(t, nil), digest.SHA512.FromString("x")
	a := imagetest.NewArtifact("application/x", subject, "a")
	for _, blob := range [][]byte{a.Config, a.Layers[0]} {
		s.upload("demo/app", blob)
	}
	put := ask{method: "PUT", path: "/v2/demo/app/manifests/1", body: a.Manifest.Body, header: map[string]string{"Content-Type": a.Manifest.MediaType}}
	for range 2 {
		require.Equal(t, subject.String(), s.want(http.StatusCreated, put).header.Get("OCI-Subject"))
	}
	f := imagetest.NewFixture("a")
	s.push("demo/app", "2", f)
	put.body = f.Manifest.Body
	require.Empty(t, s.want(http.StatusCreated, put).header.Get("OCI-Subject"))
}

func TestManyReferrersComeInPages(t *testing.T) {
	s, subject := newServer(t, nil), digest.FromString("subject")
	for _, text := range []string{"a", "b", "c"} {
		a := imagetest.NewArtifact("application/x", subject, strings.Repeat(text, 3<<19))
		s.push("demo/app", a.Manifest.Digest.String(), a)
	}
	next, seen := "/v2/demo/app/referrers/"+subject.String()+"?artifactType=application%2Fx", map[digest.Digest]bool{}
	for pages := 1; ; pages++ {
		x, r := s.referrers(next)
		require.LessOrEqual(t, len(r.body), 4<<20)
		for _, d := range x.Manifests {
			require.False(t, seen[d.Digest])
			seen[d.Digest] = true
		}
		link, more := strings.CutSuffix(r.header.Get("Link"), `>; rel="next"`)
		if !more {
			require.Equal(t, 2, pages)
			break
		}
		next = strings.TrimPrefix(link, "<")
		require.Contains(t, next, "artifactType=application%2Fx", "the filter goes on")
	}
	require.Len(t, seen, 3)
}
