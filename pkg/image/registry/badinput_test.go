package registry_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// raw sends a request line and body as they are, with the token demo, and closes its side after them.
func (s *server) raw(method, target string, header map[string]string, body string) reply {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(s.t, err)
	defer conn.Close()
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	text := method + " " + target + " HTTP/1.1\r\nHost: registry\r\nAuthorization: Bearer demo\r\nConnection: close\r\n"
	for k, v := range header {
		text += k + ": " + v + "\r\n"
	}
	_, err = io.WriteString(conn, text+"\r\n"+body)
	require.NoError(s.t, err)
	require.NoError(s.t, conn.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return reply{resp.StatusCode, resp.Header, b}
}

// begin starts an upload and returns where it goes.
func (s *server) begin() string {
	s.t.Helper()
	return s.want(http.StatusAccepted, ask{method: "POST", path: "/v2/demo/app/blobs/uploads/"}).header.Get("Location")
}

// edited is a manifest with one of its descriptors changed.
func edited(t *testing.T, f imagetest.Fixture, change func(m map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(f.Manifest.Body, &m))
	change(m)
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return b
}

func layer(m map[string]any, n int) map[string]any { return m["layers"].([]any)[n].(map[string]any) }

// badPush is one thing a client may do wrong with an image whose blobs, but for the last layer, are there.
type badPush struct {
	want string // "status CODE"
	do   func(s *server, f imagetest.Fixture) reply
}

// put sends a manifest for the tag new.
func put(body func(*testing.T, imagetest.Fixture) []byte) func(*server, imagetest.Fixture) reply {
	return func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "PUT", path: "/v2/demo/app/manifests/new", body: body(s.t, f), header: map[string]string{"Content-Type": f.Manifest.MediaType}})
	}
}

var badPushes = map[string]badPush{
	"another digest, in one request": {"400 DIGEST_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=" + sum(last(f)), body: []byte("other")})
	}},
	"another digest, in three": {"400 DIGEST_INVALID", func(s *server, f imagetest.Fixture) reply {
		at := s.begin()
		s.want(http.StatusAccepted, ask{method: "PATCH", path: at, body: []byte("other"), chunked: true})
		return s.do(ask{method: "PUT", path: at + "?digest=" + sum(last(f))})
	}},
	"another sha512 digest": {"400 DIGEST_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "POST", path: "/v2/demo/app/blobs/uploads/?digest=" + digest.SHA512.FromString("x").String(), body: last(f)})
	}},
	"a digest that is none": {"400 DIGEST_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "PUT", path: s.begin() + "?digest=sha256:../../etc/passwd", body: last(f)})
	}},
	"a body cut short, in one request": {"400 BLOB_UPLOAD_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.raw("POST", "/v2/demo/app/blobs/uploads/?digest="+sum(last(f)), map[string]string{"Content-Length": fmt.Sprint(len(last(f)))}, string(last(f)[:10]))
	}},
	"a body cut short, in chunks": {"400 BLOB_UPLOAD_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.raw("PATCH", s.begin(), map[string]string{"Transfer-Encoding": "chunked"}, "a\r\n"+string(last(f)[:10])+"\r\n")
	}},
	"a chunk of another size than it says": {"400 SIZE_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "PATCH", path: s.begin(), body: last(f), header: map[string]string{"Content-Range": "0-3"}})
	}},
	"a chunk out of order": {"416 BLOB_UPLOAD_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "PATCH", path: s.begin(), body: []byte("abc"), header: map[string]string{"Content-Range": "5-7"}})
	}},
	"a manifest whose layer is absent": {"404 MANIFEST_BLOB_UNKNOWN", put(func(_ *testing.T, f imagetest.Fixture) []byte { return f.Manifest.Body })},
	"a manifest with another size of a blob": {"400 MANIFEST_INVALID", put(func(t *testing.T, f imagetest.Fixture) []byte {
		return edited(t, f, func(m map[string]any) { layer(m, 0)["size"] = 7; m["layers"] = m["layers"].([]any)[:1] })
	})},
	"a manifest with another number of layers than its config": {"400 MANIFEST_INVALID", put(func(t *testing.T, f imagetest.Fixture) []byte {
		return edited(t, f, func(m map[string]any) { m["layers"] = m["layers"].([]any)[:1] })
	})},
	"a manifest with a digest that is none": {"400 MANIFEST_INVALID", put(func(t *testing.T, f imagetest.Fixture) []byte {
		return edited(t, f, func(m map[string]any) { layer(m, 0)["digest"] = "sha256:../../../etc/passwd" })
	})},
	"a manifest with a negative size": {"400 MANIFEST_INVALID", put(func(t *testing.T, f imagetest.Fixture) []byte {
		return edited(t, f, func(m map[string]any) { layer(m, 0)["size"] = -1 })
	})},
	"a manifest that is image and index": {"400 MANIFEST_INVALID", put(func(t *testing.T, f imagetest.Fixture) []byte {
		return edited(t, f, func(m map[string]any) { m["manifests"] = []any{} })
	})},
	"a manifest that is no JSON": {"400 MANIFEST_INVALID", put(func(*testing.T, imagetest.Fixture) []byte { return []byte("<html>") })},
	"an empty manifest":          {"400 MANIFEST_INVALID", put(func(*testing.T, imagetest.Fixture) []byte { return []byte{} })},
	"an over-large manifest":     {"413 MANIFEST_INVALID", put(func(*testing.T, imagetest.Fixture) []byte { return bytes.Repeat([]byte(" "), image.MaxManifest+1) })},
	"a manifest cut short": {"400 MANIFEST_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.raw("PUT", "/v2/demo/app/manifests/new", map[string]string{"Content-Length": "4000", "Content-Type": f.Manifest.MediaType}, string(f.Manifest.Body))
	}},
	"a manifest under another digest": {"400 DIGEST_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "PUT", path: "/v2/demo/app/manifests/" + sum([]byte("other")), body: f.Manifest.Body})
	}},
	"a tag that is none": {"400 MANIFEST_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "PUT", path: "/v2/demo/app/manifests/-new", body: f.Manifest.Body})
	}},
	"a tag that is too long": {"400 MANIFEST_INVALID", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "PUT", path: "/v2/demo/app/manifests/" + strings.Repeat("x", 129), body: f.Manifest.Body})
	}},
	"an upload of another's": {"404 BLOB_UPLOAD_UNKNOWN", func(s *server, f imagetest.Fixture) reply {
		return s.do(ask{method: "PATCH", path: strings.Replace(s.begin(), "/v2/demo/app/", "/v2/demo/other/", 1), body: last(f)})
	}},
	"a name with dots": {"400 NAME_INVALID", func(s *server, _ imagetest.Fixture) reply {
		return s.raw("PUT", "/v2/demo/../alt/app/manifests/new", nil, "")
	}},
	"a name with coded dots and slashes": {"400 NAME_INVALID", func(s *server, _ imagetest.Fixture) reply {
		return s.raw("PUT", "/v2/demo/%2e%2e%2falt/app/manifests/new", nil, "")
	}},
	"a name with two slashes": {"400 NAME_INVALID", func(s *server, _ imagetest.Fixture) reply {
		return s.raw("PUT", "/v2/demo//app/manifests/new", nil, "")
	}},
	"a name with a zero byte": {"400 NAME_INVALID", func(s *server, _ imagetest.Fixture) reply {
		return s.raw("PUT", "/v2/demo/a%00b/manifests/new", nil, "")
	}},
	"a name that is too long": {"400 NAME_INVALID", func(s *server, _ imagetest.Fixture) reply {
		return s.raw("PUT", "/v2/demo/"+strings.Repeat("x", 300)+"/manifests/new", nil, "")
	}},
	"a name with a back slash": {"400 NAME_INVALID", func(s *server, _ imagetest.Fixture) reply {
		return s.raw("PUT", `/v2/demo/..\app/manifests/new`, nil, "")
	}},
	"a digest with a path in it": {"400 DIGEST_INVALID", func(s *server, _ imagetest.Fixture) reply {
		return s.raw("GET", "/v2/demo/app/blobs/sha256:..%5c..%5cpasswd", nil, "")
	}},
}

func last(f imagetest.Fixture) []byte { return f.Layers[len(f.Layers)-1] }

func TestWhatAClientDoesWrongIsSaidAndLeavesNothing(t *testing.T) {
	for name, bad := range badPushes {
		t.Run(name, func(t *testing.T) {
			s, g := faulty(t, "sha256")
			f := imagetest.NewFixture("base", "top")
			s.upload("demo/app", f.Config)
			s.upload("demo/app", f.Layers[0])
			r := bad.do(s, f)
			assert.Equal(t, bad.want, fmt.Sprintf("%d %s", r.status, r.code(t)), "%s", r.body)
			s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/manifests/new"})
			s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/manifests/" + f.Manifest.Digest.String()})
			s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/blobs/" + sum(last(f))})
			s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/tags/list"})
			require.NoError(t, s.h.Close(), "uploads that may go on are given up")
			assertNothingUnfinished(t, g.next, name)
			require.Zero(t, s.tryPush("demo/app", "new", f).status, "the next push heals")
			require.True(t, s.pulls("demo/app", "new", f))
		})
	}
}

// TestKeystoneDownIsAnOutage asks with a token that cannot be checked.
func TestKeystoneDownIsAnOutage(t *testing.T) {
	s := newServer(t, func(c *registry.Config) { c.Issuer = noKeystone{} })
	for _, a := range []ask{
		{method: "GET", path: "/v2/"}, {method: "POST", path: "/v2/demo/app/blobs/uploads/"},
		{method: "PUT", path: "/v2/demo/app/manifests/1", body: []byte("{}")}, {method: "GET", path: "/v2/demo/app/manifests/1"},
	} {
		a.token = "outage"
		require.Equal(t, "UNAVAILABLE", s.want(http.StatusServiceUnavailable, a).code(t))
	}
	r := s.tokenAs("alice", "secret", "")
	require.Equal(t, http.StatusServiceUnavailable, r.status)
	require.Equal(t, "UNAVAILABLE", r.code(t))
	f := imagetest.NewFixture("a")
	s.push("demo/app", "1", f)
	require.True(t, s.pulls("demo/app", "1", f))
}

// TestATagWhoseRecordWasDeletedByHandIsPushedAgain: Glance never takes an id twice (409).
func TestATagWhoseRecordWasDeletedByHandIsPushedAgain(t *testing.T) {
	s, g := faulty(t, "sha256")
	f := imagetest.NewFixture("a", "b")
	for range 3 {
		s.push("demo/app", "1", f)
		deleted := 0
		for _, i := range records(t, g.next) {
			if i["docker_kind"] == "tag" {
				callGlance(t, g.next, "DELETE", "/v2/images/"+i["id"].(string), "")
				deleted++
			}
		}
		require.Equal(t, 1, deleted)
		require.Equal(t, "MANIFEST_UNKNOWN", s.want(http.StatusNotFound, ask{method: "GET", path: "/v2/demo/app/manifests/1"}).code(t))
	}
	s.push("demo/app", "1", f)
	require.True(t, s.pulls("demo/app", "1", f))
}

// TestASlowGlanceOnlyTakesLonger delays every answer.
func TestASlowGlanceOnlyTakesLonger(t *testing.T) {
	s, box := newGlanceServer(t)
	box.SetLatency(20 * time.Millisecond)
	f := imagetest.NewFixture("a", "b")
	s.push("demo/app", "1", f)
	require.True(t, s.pulls("demo/app", "1", f))
}

// noKeystone is an Issuer that cannot be reached.
type noKeystone struct{}

// Issue implements registry.Issuer.
func (noKeystone) Issue(context.Context, registry.Login) (registry.Grant, error) {
	return registry.Grant{}, image.ErrUnavailable
}
