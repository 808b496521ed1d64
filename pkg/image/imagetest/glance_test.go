package imagetest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image/imagetest"
)

var tokens = imagetest.FixedTokens{
	"demo":  {ProjectID: "p-demo", Roles: []string{"member"}},
	"alt":   {ProjectID: "p-alt", Roles: []string{"member"}},
	"view":  {ProjectID: "p-demo", Roles: []string{"reader"}},
	"admin": {ProjectID: "p-admin", Roles: []string{"admin"}},
}

const (
	idA = "11111111-1111-4111-8111-111111111111"
	idB = "22222222-2222-8222-8222-222222222222"
)

// client speaks to a box as curl would.
type client struct {
	t   *testing.T
	box *imagetest.Glance
	url string
}

func newClient(t *testing.T, c imagetest.GlanceConfig) *client {
	c.Tokens = tokens
	box, err := imagetest.NewGlance(c)
	require.NoError(t, err)
	srv := httptest.NewServer(box)
	t.Cleanup(srv.Close)
	return &client{t, box, srv.URL}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (c *client) do(token, method, path string, body io.Reader, header ...string) answer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, body)
	require.NoError(c.t, err)
	req.Header.Set("X-Auth-Token", token)
	switch method {
	case http.MethodPatch:
		req.Header.Set("Content-Type", "application/openstack-images-v2.1-json-patch")
	case http.MethodPut:
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return answer{resp.StatusCode, resp.Header, string(raw)}
}

func (c *client) want(status int, token, method, path, body string, header ...string) map[string]any {
	c.t.Helper()
	a := c.do(token, method, path, strings.NewReader(body), header...)
	require.Equal(c.t, status, a.status, "%s %s: %s", method, path, a.body)
	var v map[string]any
	if a.header.Get("Content-Type") == "application/json" {
		require.NoError(c.t, json.Unmarshal([]byte(a.body), &v))
	}
	return v
}

// ids lists what a query finds.
func (c *client) ids(token, query string) []string {
	c.t.Helper()
	ids := []string{}
	for _, i := range c.want(200, token, "GET", "/v2/images?"+query, "")["images"].([]any) {
		ids = append(ids, i.(map[string]any)["id"].(string))
	}
	return ids
}

func TestAnIdIsNeverGivenOutTwice(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	body := `{"id":"` + idA + `","name":"x"}`
	c.want(201, "demo", "POST", "/v2/images", body)
	c.want(409, "demo", "POST", "/v2/images", body)
	c.want(404, "alt", "GET", "/v2/images/"+idA, "")
	c.want(409, "alt", "POST", "/v2/images", body)
	c.want(204, "demo", "DELETE", "/v2/images/"+idA, "")
	c.want(404, "demo", "GET", "/v2/images/"+idA, "")
	c.want(409, "demo", "POST", "/v2/images", body)
}

func TestPayloadsGoInOnceAndComeOutInParts(t *testing.T) {
	for algo, sum := range map[string]string{"sha256": "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882", "sha512": "bb96c2fc40d2d54617d6f276febe571f623a8dadf0b734855299b0e107fda32c"} {
		c := newClient(t, imagetest.GlanceConfig{Hash: algo})
		c.want(201, "demo", "POST", "/v2/images", `{"id":"`+idA+`"}`)
		c.want(400, "demo", "PUT", "/v2/images/"+idA+"/file", "it has no formats yet")
		c.want(200, "demo", "PATCH", "/v2/images/"+idA, `[{"op":"replace","path":"/container_format","value":"docker"},{"op":"replace","path":"/disk_format","value":"raw"}]`)
		file := "/v2/images/" + idA + "/file"
		require.Equal(t, 204, c.do("demo", "GET", file, nil).status, "nothing is there yet")
		require.Equal(t, 204, c.do("demo", "PUT", file, io.MultiReader(strings.NewReader("0123456789"))).status, "chunked")
		c.want(409, "demo", "PUT", file, "again")
		c.want(415, "demo", "PUT", file, "again", "Content-Type", "text/plain")
		i := c.want(200, "demo", "GET", "/v2/images/"+idA, "")
		assert.Equal(t, "active", i["status"])
		assert.EqualValues(t, 10, i["size"])
		assert.Equal(t, algo, i["os_hash_algo"])
		assert.True(t, strings.HasPrefix(i["os_hash_value"].(string), sum), i["os_hash_value"])
		part := c.do("demo", "GET", file, nil, "Range", "bytes=2-4")
		assert.Equal(t, answer{206, part.header, "234"}, part)
		assert.Equal(t, []string{idA}, c.ids("demo", "os_hash_value="+i["os_hash_value"].(string)))
	}
}

func TestABrokenUploadIsQueuedAgain(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	c.want(201, "demo", "POST", "/v2/images", `{"id":"`+idA+`","container_format":"docker","disk_format":"raw"}`)
	file := "/v2/images/" + idA + "/file"
	c.box.FailAfter(3)
	c.want(500, "demo", "PUT", file, "0123456789")
	require.Equal(t, "queued", c.want(200, "demo", "GET", "/v2/images/"+idA, "")["status"])
	c.want(204, "demo", "PUT", file, "0123456789")
}

func TestOneUploadAtATimeIsTaken(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{Dir: t.TempDir()})
	c.want(201, "demo", "POST", "/v2/images", `{"id":"`+idA+`","container_format":"docker","disk_format":"raw"}`)
	path := "/v2/images/" + idA
	slow, w := io.Pipe()
	first := make(chan int)
	go func() { first <- c.do("demo", "PUT", path+"/file", slow).status }()
	_, err := w.Write([]byte("x"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return c.want(200, "demo", "GET", path, "")["status"] == "saving" }, 5*time.Second, 5*time.Millisecond)
	c.want(409, "demo", "PUT", path+"/file", "second")
	require.NoError(t, w.Close())
	require.Equal(t, 204, <-first)
	require.Equal(t, "x", c.do("demo", "GET", path+"/file", nil).body)
}

func TestPatchesFollowTheRules(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	c.want(201, "demo", "POST", "/v2/images", `{"id":"`+idA+`","name":"x","p":"1"}`)
	path := "/v2/images/" + idA
	for _, p := range []struct {
		ops    string
		status int
	}{
		{`[{"op":"add","path":"/q","value":"2"},{"op":"replace","path":"/p","value":"3"}]`, 200},
		{`[{"op":"replace","path":"/none","value":"2"}]`, 409},
		{`[{"op":"remove","path":"/none"}]`, 409},
		{`[{"op":"remove","path":"/q"},{"op":"remove","path":"/q"}]`, 409},
		{`[{"op":"remove","path":"/name"}]`, 403},
		{`[{"op":"test","path":"/p","value":"3"}]`, 400},
		{`[{"op":"add","path":"/a/b","value":"3"}]`, 400},
		{`[{"op":"add","path":"/a~1b","value":"3"}]`, 200},
		{`[{"op":"add","path":"/n","value":3}]`, 400},
		{`[{"op":"add","path":"/n","value":"🙂"}]`, 400},
		{`[{"op":"replace","path":"/name","value":"` + strings.Repeat("n", 256) + `"}]`, 400},
		{`[{"op":"add","path":"/big","value":"` + strings.Repeat("b", 65535) + `"}]`, 200},
		{`[{"op":"add","path":"/big","value":"` + strings.Repeat("b", 65536) + `"}]`, 500},
		{`[{"op":"replace","path":"/os_hash_value","value":"x"}]`, 403},
		{`[{"op":"add","path":"/os_glance_x","value":"x"}]`, 403},
		{`[{"op":"replace","path":"/visibility","value":"public"}]`, 403},
		{`[{"op":"replace","path":"/visibility","value":"community"}]`, 200},
		{`[{"op":"replace","path":"/visibility","value":"odd"}]`, 400},
		{`[{"op":"replace","path":"/os_hidden","value":"true"}]`, 400},
		{`[{"op":"replace","path":"/protected","value":true}]`, 200},
		{`{}`, 400},
	} {
		c.want(p.status, "demo", "PATCH", path, p.ops)
	}
	c.want(415, "demo", "PATCH", path, `[]`, "Content-Type", "application/json")
	c.want(403, "demo", "DELETE", path, "")
	i := c.want(200, "demo", "GET", path, "")
	assert.Equal(t, "3", i["p"])
	assert.Equal(t, "2", i["q"], "a patch that fails changes nothing")
	assert.Equal(t, "3", i["a/b"])
}

func TestPropertiesAreCounted(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	props := make([]string, 129)
	for n := range props {
		props[n] = fmt.Sprintf(`"p%d":"x"`, n)
	}
	c.want(201, "demo", "POST", "/v2/images", "{"+strings.Join(props[:128], ",")+"}")
	c.want(413, "demo", "POST", "/v2/images", "{"+strings.Join(props, ",")+"}")
	c.want(201, "demo", "POST", "/v2/images", `{"os_hash_value":"ignored"}`)
	c.want(400, "demo", "POST", "/v2/images", `{"id":"no uuid"}`)
	c.want(403, "demo", "POST", "/v2/images", `{"status":"active"}`)
	c.want(403, "demo", "POST", "/v2/images", `{"owner":"p-alt"}`)
	c.want(400, "demo", "POST", "/v2/images", `{`)
}

func TestFiltersSelect(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	c.want(201, "demo", "POST", "/v2/images", `{"id":"`+idA+`","name":"demo/app:1","container_format":"docker","docker_kind":"tag","tags":["t"]}`)
	c.want(201, "demo", "POST", "/v2/images", `{"id":"`+idB+`","name":"layer","os_hidden":true}`)
	for query, want := range map[string][]string{
		"": {idA}, "os_hidden=true": {idB}, "os_hidden=false": {idA},
		"name=eq:demo/app:1": {idA}, "name=layer": {}, "name=in:x,layer&os_hidden=true": {idB},
		"id=in:" + idA + "," + idB: {idA}, "docker_kind=tag": {idA}, "docker_kind=layer": {}, "tag=t": {idA}, "tag=u": {},
		"container_format=docker": {idA}, "status=queued": {idA}, "status=active": {}, "owner=p-demo": {idA}, "owner=p-alt": {},
		"size_min=1": {}, "protected=false": {idA}, "visibility=shared": {idA}, "visibility=public": {}, "limit=0": {},
	} {
		assert.Equal(t, want, c.ids("demo", query), query)
	}
	for _, query := range []string{"name=demo/app:1", "name=repo:tag", "name=neq:x", "os_hidden=x", "visibility=x", "limit=-1", "limit=x", "marker=" + idA[:8], "sort=odd", "sort=name:up", "size_min=x"} {
		c.want(400, "demo", "GET", "/v2/images?"+query, "")
	}
}

func TestListsArePagedNewestFirst(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	for n := range 30 {
		c.want(201, "demo", "POST", "/v2/images", fmt.Sprintf(`{"name":"n%02d"}`, n))
	}
	require.Len(t, c.ids("demo", ""), 25)
	all := c.ids("demo", "limit=5000")
	require.Len(t, all, 30)
	byName := c.ids("demo", "limit=30&sort=name:desc")
	require.Equal(t, all, byName)
	require.Equal(t, all[:1], c.ids("demo", "limit=1&sort_key=created_at&sort_dir=desc"))
	var paged []string
	for next := "/v2/images?limit=12"; next != ""; {
		body := c.want(200, "demo", "GET", next, "")
		for _, i := range body["images"].([]any) {
			paged = append(paged, i.(map[string]any)["id"].(string))
		}
		next, _ = body["next"].(string)
	}
	require.Equal(t, all, paged)
}

func TestEveryCallerSeesItsOwn(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	c.want(201, "demo", "POST", "/v2/images", `{"id":"`+idA+`"}`)
	path := "/v2/images/" + idA
	require.Empty(t, c.ids("alt", ""))
	require.Equal(t, []string{idA}, c.ids("admin", ""))
	c.want(403, "view", "POST", "/v2/images", `{}`)
	c.want(403, "view", "DELETE", path, "")
	c.want(404, "alt", "DELETE", path, "")
	c.want(200, "demo", "PATCH", path, `[{"op":"replace","path":"/visibility","value":"community"}]`)
	c.want(200, "alt", "GET", path, "")
	require.Empty(t, c.ids("alt", ""))
	require.Equal(t, []string{idA}, c.ids("alt", "visibility=community"))
	c.want(200, "admin", "PATCH", path, `[{"op":"replace","path":"/visibility","value":"public"}]`)
	require.Equal(t, []string{idA}, c.ids("alt", ""))
	c.want(403, "alt", "PATCH", path, `[{"op":"add","path":"/x","value":"y"}]`)
	c.want(401, "stranger", "GET", path, "")
	c.want(401, "", "GET", "/v2/images", "")
}

func TestClientsDiscoverTheVersions(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	v := c.want(300, "", "GET", "/", "")
	first := v["versions"].([]any)[0].(map[string]any)
	require.Equal(t, "v2.15", first["id"])
	require.Equal(t, c.url+"/v2/", first["links"].([]any)[0].(map[string]any)["href"])
	require.Equal(t, "image", c.want(200, "demo", "GET", "/v2/schemas/image", "")["name"])
}

func TestADirectoryOutlivesTheBox(t *testing.T) {
	dir := t.TempDir()
	one := newClient(t, imagetest.GlanceConfig{Dir: dir})
	for _, id := range []string{idA, idB} {
		one.want(201, "demo", "POST", "/v2/images", `{"id":"`+id+`","p":"`+id+`","container_format":"docker","disk_format":"raw"}`)
	}
	one.want(204, "demo", "PUT", "/v2/images/"+idA+"/file", "payload")
	one.want(204, "demo", "DELETE", "/v2/images/"+idB, "")
	before := one.want(200, "demo", "GET", "/v2/images/"+idA, "")

	two := newClient(t, imagetest.GlanceConfig{Dir: dir})
	require.Equal(t, before, two.want(200, "demo", "GET", "/v2/images/"+idA, ""))
	require.Equal(t, "payload", two.do("demo", "GET", "/v2/images/"+idA+"/file", nil).body)
	two.want(404, "demo", "GET", "/v2/images/"+idB, "")
	two.want(409, "demo", "POST", "/v2/images", `{"id":"`+idB+`"}`)
}

func TestTheKnobsBreakIt(t *testing.T) {
	c := newClient(t, imagetest.GlanceConfig{})
	c.box.SetDown(true)
	c.want(503, "demo", "GET", "/v2/images", "")
	c.box.SetDown(false)
	c.want(200, "demo", "GET", "/v2/images", "")
	require.Equal(t, 2, c.box.Requests())
	require.Equal(t, 0, c.box.Writes())
	_, err := imagetest.NewGlance(imagetest.GlanceConfig{})
	require.Error(t, err)
	_, err = imagetest.NewGlance(imagetest.GlanceConfig{Tokens: tokens, Hash: "md5"})
	require.Error(t, err)
}
