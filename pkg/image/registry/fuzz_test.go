package registry

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
)

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"/v2/", "/v2/_catalog", "/v2/demo/app/manifests/1", "/v2/demo/app/blobs/uploads/x", "/v2/demo/blobs/blobs/sha256:00", "/v2//", "/", "/v2/demo/app/referrers/sha256:0", "/v2/referrers/referrers/referrers", "/v2/demo/app/../x/blobs/y",
		"/v2/demo/tags/list/tags/list", "/v2/blobs/uploads/blobs/uploads/", "/v2/demo/app/manifests/", "/v2/demo/a%00/manifests/1", "/v2/" + strings.Repeat("a/", 500) + "manifests/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, err := parsePath(path)
		if err != nil {
			var e *apiError
			require.True(t, errors.As(err, &e))
			require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, e.status)
			return
		}
		require.Contains(t, verbs, got.kind)
		if got.kind != kindPing && got.kind != kindCatalog {
			require.NoError(t, image.CheckRepo(got.repo))
			require.True(t, strings.HasPrefix(path, "/v2/"+got.repo+"/"))
		}
	})
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=5-", "bytes=-3", "bytes=9-1", "bytes=1-2,3-4", "bytes=99999999999999999999-", "bytes=-", "bytes=--1", "bytes=+1-2", "bytes= 1-2", "bytes=0-0,", "items=0-1", "bytes=-0", "bytes=9223372036854775807-9223372036854775807"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		r, ok, err := parseRange(header, size)
		if err != nil || !ok {
			require.Zero(t, r)
			return
		}
		require.GreaterOrEqual(t, r.Start, int64(0))
		require.Positive(t, r.Length)
		require.LessOrEqual(t, r.Start+r.Length, size)
	})
}

func FuzzParseContentRange(f *testing.F) {
	for _, s := range []string{"0-0", "3-9", "bytes 0-5/*", "9-3", "-", "x-y", "0-9223372036854775807", "1-0", "bytes 1-2", "0-0/0", "+0-1", "0--1", "9223372036854775807-9223372036854775807", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		start, length, err := parseContentRange(header)
		if err != nil {
			require.Zero(t, length)
			return
		}
		require.GreaterOrEqual(t, start, int64(0))
		require.Positive(t, length)
		require.Positive(t, start+length)
	})
}

func FuzzParseLogin(f *testing.F) {
	for _, s := range []string{"alice", "alice@lab/demo", "a@b@c/d/e", "@", "/", strings.Repeat("ab", 16)} {
		f.Add(s, "repository:demo/app:pull,push")
	}
	f.Fuzz(func(t *testing.T, name, scope string) {
		readings := parseLogin(name, "secret")
		require.NotEmpty(t, readings)
		for _, l := range readings {
			require.True(t, l.Password == "secret" || l.ApplicationCredentialSecret == "secret")
			require.NotContains(t, l.User, "/")
		}
		if p := scopeProject([]string{scope}); p != "" {
			require.NotContains(t, p, "/")
		}
	})
}

func FuzzDigestsInPaths(f *testing.F) {
	f.Add("sha256:" + strings.Repeat("0", 64))
	f.Add("sha256:../../x")
	f.Add("md5:00")
	f.Add("sha512:" + strings.Repeat("a", 128))
	f.Add("1@sha256:" + strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, arg string) {
		c := &call{target: target{repo: "demo/app", arg: arg}}
		ref, err := c.ref()
		if err != nil {
			e := kindCodes[kindManifest].of(err)
			require.Equal(t, http.StatusBadRequest, e.status)
			require.Equal(t, strings.Contains(arg, ":"), e.code == codeDigestInvalid)
			return
		}
		require.Equal(t, "demo/app", ref.Repo)
		if ref.Digest != "" {
			require.NoError(t, ref.Digest.Validate())
		}
	})
}

func FuzzTagParams(f *testing.F) {
	for _, s := range []string{"tag=1&tag=2", "tag=a@b", "tag=", "tag=a:b&tag=%2F", "%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		c := &call{r: &http.Request{URL: &url.URL{RawQuery: query}}, target: target{repo: "demo/app"}}
		refs, err := c.tagParams(image.Ref{})
		if err != nil {
			require.Equal(t, http.StatusBadRequest, kindCodes[kindManifest].of(err).status)
			return
		}
		for i, tag := range c.r.URL.Query()["tag"] {
			require.Equal(t, image.Ref{Repo: "demo/app", Tag: tag}, refs[i])
		}
	})
}
