package glance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
)

// raw sends a request to the box as a stock client would.
func (b *box) raw(method, path, token, body string) (int, map[string]any) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, bytes.NewReader([]byte(body)))
	require.NoError(b.t, err)
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Content-Type", "application/openstack-images-v2.1-json-patch")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	var v map[string]any
	if resp.Header.Get("Content-Type") == "application/json" {
		require.NoError(b.t, json.Unmarshal(raw, &v))
	}
	return resp.StatusCode, v
}

// put writes a record's payload.
func (b *box) put(id string, payload []byte) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPut, b.url+"/v2/images/"+id+"/file", bytes.NewReader(payload))
	require.NoError(b.t, err)
	req.Header.Set("X-Auth-Token", "token-demo")
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)
	require.NoError(b.t, resp.Body.Close())
	require.Equal(b.t, http.StatusNoContent, resp.StatusCode)
}

// images lists records by a query.
func (b *box) images(query string) []map[string]any {
	b.t.Helper()
	status, body := b.raw("GET", "/v2/images?limit=1000&"+query, "token-admin", "")
	require.Equal(b.t, http.StatusOK, status)
	var out []map[string]any
	for _, i := range body["images"].([]any) {
		out = append(out, i.(map[string]any))
	}
	return out
}

func at(t *testing.T, s string) image.Ref {
	t.Helper()
	r, err := image.ParseRef(s, "demo")
	require.NoError(t, err)
	return r
}

func TestListsShowTagsOnlyAndLayersCarryTheirChain(t *testing.T) {
	b := newBox(t, "sha256")
	s, f := b.Store("demo"), imagetest.NewFixture("a", "b")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "demo/app:1"), f))
	shown := b.images("")
	require.Len(t, shown, 1)
	require.Equal(t, "demo/app@1", shown[0]["name"])
	require.Equal(t, f.Manifest.Digest.String(), shown[0]["docker_manifest"])
	require.Len(t, b.images("name="+url.QueryEscape("demo/app@1")), 1, "stock clients find it by name")

	layers := b.images("os_hidden=true&docker_kind=layer")
	require.Len(t, layers, 2)
	img, err := s.Resolve(t.Context(), at(t, "demo/app:1"))
	require.NoError(t, err)
	for _, l := range img.Layers {
		found := b.images("os_hidden=true&docker_id=" + l.ID)
		require.Len(t, found, 1)
		require.Equal(t, l.Parent, found[0]["docker_parent"])
		require.Equal(t, l.Digest.String(), found[0]["name"])
		require.Equal(t, l.DiffID.String(), found[0]["docker_diff_id"])
		require.Equal(t, true, found[0]["protected"])
		require.Equal(t, l.Digest.Encoded(), found[0]["os_hash_value"])
	}
	require.Len(t, b.images("os_hidden=true&docker_kind=config"), 1)
	require.Len(t, b.images("os_hidden=true&docker_kind=manifest"), 1)
	require.Len(t, b.images("os_hidden=true"), 4)
}

func TestTheSamePushAgainWritesNothing(t *testing.T) {
	b := newBox(t, "sha512")
	s, f := b.Store("demo"), imagetest.NewFixture("a", "b")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
	before := b.glance.Writes()
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
	require.Equal(t, before, b.glance.Writes())
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:2"), f))
	require.Equal(t, before+2, b.glance.Writes(), "a new tag is one record and its payload")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:2"), imagetest.NewFixture("a")))
	before = b.glance.Writes()
	require.NoError(t, s.SetTag(t.Context(), at(t, "app:2"), f.Manifest.Digest))
	require.Equal(t, before+1, b.glance.Writes(), "a tag moves by one PATCH")
}

func TestATagWhoseRecordWasDeletedComesBackUnderTheNextId(t *testing.T) {
	b := newBox(t, "sha256")
	s, f := b.Store("demo"), imagetest.NewFixture("a")
	for range 3 {
		require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
		_, err := s.Resolve(t.Context(), at(t, "app:1"))
		require.NoError(t, err)
		id := b.images("")[0]["id"].(string)
		status, _ := b.raw("DELETE", "/v2/images/"+id, "token-demo", "")
		require.Equal(t, http.StatusNoContent, status)
		_, err = s.Resolve(t.Context(), at(t, "app:1"))
		require.ErrorIs(t, err, image.ErrNotFound)
	}
}

func TestABrokenUploadLeavesNothing(t *testing.T) {
	b := newBox(t, "sha256")
	s, blob := b.Store("demo"), bytes.Repeat([]byte("x"), 1<<20)
	b.glance.FailAfter(1000)
	_, err := imagetest.Upload(t.Context(), s, "demo/app", blob, digest.FromBytes(blob))
	require.ErrorIs(t, err, image.ErrUnavailable)
	require.Empty(t, b.images("os_hidden=true"))

	ctx, cancel := context.WithCancel(t.Context())
	up, err := s.Create(ctx, "demo/app")
	require.NoError(t, err)
	_, err = up.Write(blob)
	require.NoError(t, err)
	cancel()
	_, err = up.Commit(ctx, digest.FromBytes(blob))
	require.Error(t, err)
	require.Empty(t, b.images("os_hidden=true"))
}

func TestABrokenChainIsMendedByTheNextPush(t *testing.T) {
	b := newBox(t, "sha256")
	s, f := b.Store("demo"), imagetest.NewFixture("a", "b", "c")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
	img, err := s.Resolve(t.Context(), at(t, "app:1"))
	require.NoError(t, err)
	id := b.images("os_hidden=true&docker_id=" + img.Layers[1].ID)[0]["id"].(string)
	status, _ := b.raw("PATCH", "/v2/images/"+id, "token-demo", `[{"op":"replace","path":"/docker_id","value":"lost"}]`)
	require.Equal(t, http.StatusOK, status)
	require.ErrorIs(t, walkErr(s, at(t, "app:1")), image.ErrNotFound)
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
	require.NoError(t, walkErr(s, at(t, "app:1")))
}

func walkErr(s image.Store, ref image.Ref) error {
	for _, err := range image.Walk(context.Background(), s, ref) {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestAPublicImageIsPulledByOtherProjects(t *testing.T) {
	b := newBox(t, "sha256")
	demo, alt, f := b.Store("demo"), b.Store("alt"), imagetest.NewFixture("a", "b")
	require.NoError(t, imagetest.Push(t.Context(), demo, at(t, "demo/app:1"), f))
	for _, i := range append(b.images(""), b.images("os_hidden=true")...) {
		status, _ := b.raw("PATCH", "/v2/images/"+i["id"].(string), "token-admin", `[{"op":"replace","path":"/visibility","value":"public"}]`)
		require.Equal(t, http.StatusOK, status)
	}
	img, err := alt.Resolve(t.Context(), at(t, "demo/app:1"))
	require.NoError(t, err)
	require.Equal(t, f.Manifest.Digest, img.Digest)
	list, err := image.List(t.Context(), alt, image.Query{Repo: "demo/app"})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, walkErr(alt, at(t, "demo/app:1")))
	_, err = alt.Stat(t.Context(), "alt/app", digest.FromBytes(f.Layers[0]))
	require.ErrorIs(t, err, image.ErrNotFound, "another project's blob is not one's own")
}

func TestNobodyElsesRecordPassesForATag(t *testing.T) {
	b := newBox(t, "sha256")
	require.NoError(t, imagetest.Push(t.Context(), b.Store("alt"), at(t, "alt/app:1"), imagetest.NewFixture("bad")))
	id := b.images("")[0]["id"].(string)
	status, _ := b.raw("PATCH", "/v2/images/"+id, "token-admin",
		`[{"op":"replace","path":"/visibility","value":"public"},{"op":"replace","path":"/name","value":"demo/app@1"},{"op":"replace","path":"/docker_repo","value":"demo/app"}]`)
	require.Equal(t, http.StatusOK, status)
	for _, project := range []string{"demo", "alt"} {
		_, err := b.Store(project).Resolve(t.Context(), at(t, "demo/app:1"))
		require.ErrorIs(t, err, image.ErrNotFound)
		list, err := image.List(t.Context(), b.Store(project), image.Query{})
		require.NoError(t, err)
		require.Empty(t, list)
	}
}

func TestSha256ModeNeverFiltersBlobsByAProperty(t *testing.T) {
	b := newBox(t, "sha256")
	s, f := b.Store("demo"), imagetest.NewFixture("a")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
	var asked []string
	spy := roundTripper(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.RawQuery)
		return http.DefaultTransport.RoundTrip(r)
	})
	cold, err := glance.New(glance.Config{Endpoint: b.url + "/v2/", Token: "token-demo", ProjectID: "id-demo", Project: "demo", Transport: spy})
	require.NoError(t, err)
	_, err = cold.Resolve(t.Context(), at(t, "app:1"))
	require.NoError(t, err)
	require.NotEmpty(t, asked)
	for _, q := range asked {
		require.NotContains(t, q, "docker_")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAResetConnectionIsTriedOnceMore(t *testing.T) {
	b := newBox(t, "sha256")
	s, f := b.Store("demo"), imagetest.NewFixture("a")
	require.NoError(t, imagetest.Push(t.Context(), s, at(t, "app:1"), f))
	upload := func(text string) error { // among its requests is a POST, which net/http does not repeat by itself
		_, err := imagetest.Upload(t.Context(), s, "demo/app", []byte(text), digest.FromString(text))
		return err
	}
	b.glance.ResetNext(1)
	require.NoError(t, upload("once"))
	b.glance.ResetNext(10)
	require.ErrorIs(t, upload("always"), image.ErrUnavailable)
}

func TestGlancesAnswersKeepTheirMeaning(t *testing.T) {
	b := newBox(t, "sha256")
	f := imagetest.NewFixture("a")
	require.NoError(t, imagetest.Push(t.Context(), b.Store("demo"), at(t, "app:1"), f))
	_, err := b.as("stranger", "demo").Resolve(t.Context(), at(t, "app:1"))
	require.ErrorIs(t, err, image.ErrUnauthorized)
	reader := b.as("token-view", "demo")
	_, err = reader.Resolve(t.Context(), at(t, "app:1"))
	require.NoError(t, err)
	require.ErrorIs(t, imagetest.Push(t.Context(), reader, at(t, "app:2"), imagetest.NewFixture("b")), image.ErrDenied)
	require.ErrorIs(t, reader.DeleteTag(t.Context(), at(t, "app:1")), image.ErrDenied)
	b.glance.SetDown(true)
	_, err = reader.Resolve(t.Context(), at(t, "app:1"))
	require.ErrorIs(t, err, image.ErrUnavailable)
	b.glance.SetDown(false)
	b.glance.SetLatency(200 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = reader.Resolve(ctx, at(t, "app:1"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	good := glance.Config{Endpoint: "http://127.0.0.1:9292", Token: "t", ProjectID: "i", Project: "demo"}
	_, err := glance.New(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*glance.Config){
		"no endpoint": func(c *glance.Config) { c.Endpoint = "" },
		"no scheme":   func(c *glance.Config) { c.Endpoint = "127.0.0.1:9292" },
		"no URL":      func(c *glance.Config) { c.Endpoint = "http://[" },
		"no token":    func(c *glance.Config) { c.Token = "" },
		"no project":  func(c *glance.Config) { c.Project = "" },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			_, err := glance.New(c)
			require.ErrorIs(t, err, image.ErrInvalid)
		})
	}
}
