package images

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/test/process"
)

// figure finds a line of a metrics page.
func figure(t *testing.T, page io.Reader, name string) float64 {
	t.Helper()
	for lines := bufio.NewScanner(page); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			require.NoError(t, err)
			return n
		}
	}
	return 0
}

// noise is so many bytes that follow from a seed, so that nobody has to keep them.
func noise(seed uint64, size int64) io.Reader {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	return io.LimitReader(mathrand.NewChaCha8(key), size)
}

const (
	largePushes   = 8
	largeBlob     = 200 << 20
	memoryAllowed = 64 << 20
)

func TestMemoryStaysFlatUnderLargePushes(t *testing.T) {
	c := process.Prepare(t, process.Config{Programs: programs, Images: t.TempDir()})
	c.Registry.Start(t)
	client := newClient(c.Registry.URL, c.Token(t, "demo"))
	errs := make([]error, largePushes)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			hash := digest.SHA256.Digester()
			if _, errs[i] = io.Copy(hash.Hash(), noise(uint64(i), largeBlob)); errs[i] == nil {
				errs[i] = client.upload(context.Background(), "demo/large", hash.Digest(), noise(uint64(i), largeBlob))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Registry.PID()))
	require.NoError(t, err)
	peak := resident(t, string(status))
	t.Attr("memory", fmt.Sprintf("%d pushes of %d MiB at once: the registry's resident memory was %d MiB at most", largePushes, largeBlob>>20, peak>>20))
	require.LessOrEqual(t, peak, int64(memoryAllowed))
}

// resident is the peak of a process, in bytes.
func resident(t *testing.T, status string) int64 {
	t.Helper()
	_, rest, ok := strings.Cut(status, "VmHWM:")
	require.True(t, ok)
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(t, err)
	return kib << 10
}

func TestARegistryThatIsStoppedLetsAPushEnd(t *testing.T) {
	c := process.Prepare(t, process.Config{Programs: programs})
	c.Registry.Start(t)
	client, f := newClient(c.Registry.URL, c.Token(t, "demo")), imagetest.NewFixture("a", "b", "c")
	layer := digest.FromBytes(f.Layers[2])
	resp, _, err := client.do(t.Context(), http.MethodPost, "/v2/demo/app/blobs/uploads/", "", nil, 202)
	require.NoError(t, err)
	read, write := io.Pipe() // the PATCH is under way while the registry is told to stop
	patched := make(chan error, 1)
	var at string
	go func() {
		resp, _, err := client.do(context.Background(), http.MethodPatch, resp.Header.Get("Location"), "application/octet-stream", read, 202)
		if err == nil {
			at = resp.Header.Get("Location")
		}
		patched <- err
	}()
	for _, b := range blobs(f)[:3] {
		require.NoError(t, client.upload(t.Context(), "demo/app", digest.FromBytes(b), strings.NewReader(string(b))))
	}
	_, err = write.Write(f.Layers[2][:10])
	require.NoError(t, err)
	stopped := make(chan struct{})
	go func() { c.Registry.Stop(t); close(stopped) }()
	process.Await(t, "the registry to refuse new work", func() bool {
		resp, err := http.Get(c.Registry.URL + "/readyz")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusServiceUnavailable
	})
	_, err = write.Write(f.Layers[2][10:])
	require.NoError(t, err)
	require.NoError(t, write.Close())
	require.NoError(t, <-patched)
	_, _, err = client.do(t.Context(), http.MethodPut, at+"?digest="+layer.String(), "", nil, 201)
	require.NoError(t, err)
	_, _, err = client.do(t.Context(), http.MethodPut, "/v2/demo/app/manifests/1", f.Manifest.MediaType, strings.NewReader(string(f.Manifest.Body)), 201)
	require.NoError(t, err)
	<-stopped
	c.Registry.Start(t)
	require.NoError(t, client.pull(t.Context(), "demo/app", "1", f))
}

// replicas are two registries behind one address, which goes round among those that are ready.
type replicas struct {
	daemons [2]*process.Daemon
	address string
	turn    atomic.Int64
}

func startReplicas(t *testing.T, c *process.Cloud) *replicas {
	t.Helper()
	r := &replicas{}
	c.Registry.Args = append(c.Registry.Args, "-replica", "a")
	second := c.NewRegistry(t, process.Place{Flags: []string{"-replica", "b", "-replicas", "a=" + c.Registry.URL}})
	c.Registry.Args = append(c.Registry.Args, "-replicas", "b="+second.URL)
	r.daemons = [2]*process.Daemon{c.Registry, second}
	for _, d := range r.daemons {
		d.Start(t)
	}
	balancer := &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: time.Minute}
	r.address = process.Serve(t, balancer)
	return r
}

func (r *replicas) serve(w http.ResponseWriter, req *http.Request) {
	for range r.daemons {
		d := r.daemons[r.turn.Add(1)%2]
		resp, err := http.Get(d.URL + "/readyz")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK && !strings.Contains(req.URL.Path, "/uploads/") {
			continue
		}
		to, err := url.Parse(d.URL)
		if err == nil {
			proxy := httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to); p.Out.Host = p.In.Host }}
			proxy.ServeHTTP(w, req)
			return
		}
	}
	w.WriteHeader(http.StatusServiceUnavailable)
}

func TestDockerPushesToReplicasOfWhichOneIsReplaced(t *testing.T) {
	c := process.Prepare(t, process.Config{Programs: programs})
	r := startReplicas(t, c)
	name := r.address + "/demo/large:1"
	buildLarge(t, c, name, 6, 8<<20)
	c.Docker(t, "login", r.address, "-u", "demo/demo", "-p", "secret-demo")
	pushed := make(chan string, 1)
	push := exec.Command("docker", "push", name)
	push.Env = append(os.Environ(), "DOCKER_HOST="+os.Getenv("MOSET_TEST_DOCKER"), "DOCKER_CONFIG="+filepath.Join(c.Dir, "docker"))
	go func() {
		out, err := push.CombinedOutput()
		pushed <- fmt.Sprint(err, " ", string(out))
	}()
	process.Await(t, "the push to be under way", func() bool {
		return scrape(t, r.daemons[0].URL, `moset_registry_bytes_total{direction="received"}`) > 1<<20
	})
	r.daemons[0].Restart(t)
	require.Contains(t, <-pushed, "<nil>")
	c.Docker(t, "rmi", name)
	c.Docker(t, "pull", "-q", name)
	c.Docker(t, "rmi", name)
}

// buildLarge makes an image of layers of random bytes in the engine.
func buildLarge(t *testing.T, c *process.Cloud, name string, layers int, size int64) {
	t.Helper()
	dir := t.TempDir()
	file := "FROM scratch\n"
	for i := range layers {
		part := make([]byte, size)
		_, _ = rand.Read(part) // never fails
		require.NoError(t, os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), part, 0o600))
		file += fmt.Sprintf("COPY %d /\n", i)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(file), 0o600))
	c.Docker(t, "build", "-q", "-t", name, dir)
	t.Cleanup(func() { c.Docker(t, "image", "prune", "-af") })
}

// report is the last line of moset-registry gc --json.
type report struct{ Marked, Deleted int }

func TestTheCommandCollectsGarbage(t *testing.T) {
	c := process.Prepare(t, process.Config{Programs: programs})
	c.Registry.Start(t)
	client, f := newClient(c.Registry.URL, c.Token(t, "demo")), imagetest.NewFixture("a", "b")
	require.NoError(t, client.push(t.Context(), "demo/app", "1", f))
	require.NoError(t, client.push(t.Context(), "demo/app", "2", imagetest.NewFixture("a")))
	require.NoError(t, client.remove(t.Context(), "demo/app", f.Manifest.Digest))
	gc := func(args ...string) (string, report) {
		cmd := exec.Command(filepath.Join(string(programs), "registry"), append([]string{"gc"}, args...)...)
		cmd.Env = append(os.Environ(), c.Env("moset")...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		var r report
		_ = json.Unmarshal([]byte(lines[len(lines)-1]), &r)
		return string(out), r
	}
	_, r := gc("--json")
	require.Equal(t, report{}, r, "all is young")
	process.Await(t, "the blobs to be two seconds old", func() bool { _, r := gc("--dry-run", "--json", "--grace", "2s"); return r.Marked == 2 })
	text, _ := gc("--dry-run", "--grace", "2s")
	require.Contains(t, text, "2 would be marked")
	_, r = gc("--json", "--grace", "2s")
	require.Equal(t, report{Marked: 2}, r)
	process.Await(t, "the marks to be two seconds old", func() bool { _, r := gc("--json", "--grace", "2s"); return r.Deleted == 2 })
	require.NoError(t, client.pull(t.Context(), "demo/app", "2", imagetest.NewFixture("a")))
	cmd := exec.Command(filepath.Join(string(programs), "registry"), "gc", "--nonsense")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "moset-registry gc -h")
}

func TestMetricsAndHealthNeedNoToken(t *testing.T) {
	c := process.Prepare(t, process.Config{Programs: programs})
	c.Registry.Start(t)
	require.NoError(t, newClient(c.Registry.URL, c.Token(t, "demo")).push(t.Context(), "demo/app", "1", imagetest.NewFixture("a")))
	require.Equal(t, 1.0, scrape(t, c.Registry.URL, `moset_registry_requests_total{code="201",kind="manifest",method="PUT"}`))
	require.Zero(t, scrape(t, c.Registry.URL, "moset_registry_uploads"))
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200} {
		resp, err := http.Get(c.Registry.URL + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode, path)
	}
	c.Glance.SetDown(true)
	resp, err := http.Get(c.Registry.URL + "/readyz")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
}
