package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
)

// fewRecords is the size of the table in a plain run. MOSET_TEST_RECORDS=100000 makes it large, and then the
// look-ups are timed too.
const fewRecords = 2000

// fill puts n layer records of a project into Glance's database, of which the first has the given digest. Their
// payloads are nowhere, which no look-up notices. They go with the test.
func fill(t *testing.T, project string, n int, first digest.Digest) {
	t.Helper()
	sql := func(statements string) {
		cmd := exec.Command("mariadb", "--no-defaults", "--socket="+setting(t, "MOSET_TEST_MARIADB"), "--user=root", "glance")
		cmd.Stdin = strings.NewReader(statements)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	id := fmt.Sprintf("concat(lpad(hex(seq), 8, '0'), '-%s-4%s-8%s-%s')", project[:4], project[4:7], project[7:10], project[10:22])
	hash := fmt.Sprintf("if(seq = 1, '%s', sha2(concat('%s', seq), 256))", first.Encoded(), project)
	from := fmt.Sprintf("from seq_1_to_%d", n)
	property := func(name, value string) string {
		return fmt.Sprintf("insert into image_properties (image_id, name, value, created_at, deleted) select %s, '%s', %s, now(), 0 %s;\n", id, name, value, from)
	}
	t.Cleanup(func() {
		const ours = "from images where owner = '%s' and name like 'sha256:%%' and id not in (select image_id from image_locations)"
		sql("delete from image_properties where image_id in (select id " + fmt.Sprintf(ours, project) + "); delete " + fmt.Sprintf(ours, project) + ";")
	})
	sql(fmt.Sprintf(`insert into images (id, name, size, status, created_at, updated_at, deleted, disk_format, container_format, checksum, owner,
		min_disk, min_ram, protected, visibility, os_hidden, os_hash_algo, os_hash_value)
		select %s, concat('sha256:', %[2]s), 1000, 'active', now(), now(), 0, 'raw', 'docker', md5(seq), '%[3]s', 0, 0, 1, 'shared', 1, 'sha256', %[2]s %[4]s;`+"\n",
		id, hash, project, from) +
		property("docker_kind", "'layer'") + property("docker_digest", "concat('sha256:', "+hash+")") +
		property("docker_id", "sha2(concat('chain', seq), 256)") + property("docker_media_type", "'application/vnd.oci.image.layer.v1.tar+gzip'"))
}

// recorded is a Glance whose list requests are noted.
func recorded(t *testing.T, endpoint string) (string, func() []url.Values) {
	t.Helper()
	to, err := url.Parse(endpoint)
	require.NoError(t, err)
	var mu sync.Mutex
	var lists []url.Values
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/v2/images" {
			mu.Lock()
			lists = append(lists, r.URL.Query())
			mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []url.Values { mu.Lock(); defer mu.Unlock(); return lists }
}

// TestLookUpsStayQuickInALargeTable: with sha256 digests, no look-up of a push or pull asks Glance for a property,
// which it would search its whole table for.
func TestLookUpsStayQuickInALargeTable(t *testing.T) {
	n := fewRecords
	if text := os.Getenv("MOSET_TEST_RECORDS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err, "MOSET_TEST_RECORDS is a number")
	}
	endpoint, lists := recorded(t, setting(t, "MOSET_TEST_GLANCE"))
	c := newCloud(t, endpoint)
	known := digest.FromString(t.Name() + c.ids["demo"])
	fill(t, c.ids["demo"], n, known)
	f := imagetest.NewFixture(t.Name(), "2")
	require.NoError(t, imagetest.Push(t.Context(), c.Store("demo"), image.Ref{Repo: "demo/app", Tag: "1"}, f))

	var took []time.Duration
	for range 20 {
		c.cache = new(glance.Cache) // nothing is remembered
		s := c.Store("demo")
		_, err := s.Stat(t.Context(), "demo/app", known) // learns how Glance hashes
		require.NoError(t, err)
		_, err = s.Resolve(t.Context(), image.Ref{Repo: "demo/app", Tag: "1"})
		require.NoError(t, err)
		begun := time.Now()
		_, err = s.Stat(t.Context(), "demo/app", digest.FromBytes(f.Layers[1]))
		took = append(took, time.Since(begun))
		require.NoError(t, err)
		_, err = s.Stat(t.Context(), "demo/app", digest.FromString("nowhere"))
		require.ErrorIs(t, err, image.ErrNotFound)
		missing, err := image.Missing(t.Context(), s, "demo/app", []digest.Digest{known, digest.FromString("nowhere")})
		require.NoError(t, err)
		require.Len(t, missing, 1)
	}
	slices.Sort(took)
	median := took[len(took)/2]
	t.Attr("lookup", fmt.Sprintf("a blob among %d records: median %s of %d", n, median.Round(100*time.Microsecond), len(took)))
	require.NotEmpty(t, lists())
	for _, q := range lists() {
		for name := range q {
			assert.False(t, strings.HasPrefix(name, "docker_"), "%v", q)
		}
	}
	if n >= 100_000 {
		assert.LessOrEqual(t, median, 10*time.Millisecond)
	}
}
