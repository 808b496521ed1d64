// Package integration drives the registry with a real docker client and engine.
//
// MOSET_TEST_DOCKER names the engine's socket, as in unix:///run/docker.sock; make test starts one and sets it.
package integration

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/image/registry"
)

// keystone knows alice of demo and bob of alt; passwords are "secret".
type keystone struct{}

var users = map[string]string{"alice": "demo", "bob": "alt"}

func (keystone) Issue(_ context.Context, l registry.Login) (registry.Grant, error) {
	if l.Password != "secret" || users[l.User] == "" || l.Project != "" && l.Project != users[l.User] {
		return registry.Grant{}, image.ErrUnauthorized
	}
	return registry.Grant{Token: "token-" + users[l.User], Expires: time.Now().Add(time.Hour)}, nil
}

func (keystone) Verify(_ context.Context, token string) (registry.Identity, error) {
	project, ok := strings.CutPrefix(token, "token-")
	if !ok {
		return registry.Identity{}, image.ErrUnauthorized
	}
	return registry.Identity{ProjectID: "id-" + project, Project: project}, nil
}

func (keystone) Check(_ context.Context, token string) (imagetest.Caller, error) {
	project, ok := strings.CutPrefix(token, "token-")
	if !ok {
		return imagetest.Caller{}, image.ErrUnauthorized
	}
	return imagetest.Caller{ProjectID: "id-" + project, Roles: []string{"member"}}, nil
}

// lab is a registry on a Glance box, and the docker command line on the engine under test.
type lab struct {
	t        *testing.T
	box      *imagetest.Glance
	glance   string // URL
	registry string // host:port
	docker   string
	config   string
}

func newLab(t *testing.T, hash string) *lab {
	docker := os.Getenv("MOSET_TEST_DOCKER")
	require.NotEmpty(t, docker, "set MOSET_TEST_DOCKER to the socket of a private Docker engine, or run make test")
	box, err := imagetest.NewGlance(imagetest.GlanceConfig{Tokens: keystone{}, Hash: hash, Dir: t.TempDir()})
	require.NoError(t, err)
	g := httptest.NewServer(box)
	t.Cleanup(g.Close)
	l := &lab{t: t, box: box, glance: g.URL, docker: docker, config: t.TempDir()}
	cache := new(glance.Cache)
	h, err := registry.New(registry.Config{
		Auth: keystone{}, Issuer: keystone{},
		Stores: func(_ context.Context, id registry.Identity) (image.Store, error) {
			return l.store(id.Token, id.Project, cache)
		},
	})
	require.NoError(t, err)
	r := httptest.NewServer(h)
	t.Cleanup(func() { r.Close(); require.NoError(t, h.Close()) })
	l.registry = strings.TrimPrefix(r.URL, "http://")
	return l
}

func (l *lab) store(token, project string, cache *glance.Cache) (image.Store, error) {
	return glance.New(glance.Config{Endpoint: l.glance, Token: token, ProjectID: "id-" + project, Project: project, Cache: cache})
}

// try runs docker with a stdin.
func (l *lab) try(stdin string, args ...string) (string, error) {
	cmd := exec.Command("docker", append([]string{"-H", l.docker}, args...)...)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+l.config, "DOCKER_BUILDKIT=0", "DOCKER_HOST=")
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (l *lab) run(args ...string) string {
	l.t.Helper()
	out, err := l.try("", args...)
	require.NoError(l.t, err, "docker %v: %s", args, out)
	return out
}

func (l *lab) login(name string) (string, error) {
	return l.try("secret", "login", "-u", name, "--password-stdin", l.registry)
}

// build makes an image FROM scratch with a layer for each size in bytes, and returns its id.
func (l *lab) build(name string, sizes ...int) string {
	l.t.Helper()
	dir, file := l.t.TempDir(), "FROM scratch\n"
	noise := rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", l.t.Name()+name))))
	for i, size := range sizes {
		b := make([]byte, size)
		_, _ = noise.Read(b) // never fails
		require.NoError(l.t, os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), b, 0o644))
		file += fmt.Sprintf("COPY f%d /f%d\n", i, i)
	}
	require.NoError(l.t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(file), 0o644))
	l.run("build", "-q", "--no-cache", "-t", name, dir)
	l.t.Cleanup(func() { _, _ = l.try("", "rmi", "-f", name) }) // it may be gone already
	return l.id(name)
}

func (l *lab) id(name string) string {
	l.t.Helper()
	return l.run("image", "inspect", "-f", "{{.Id}}", name)
}

func TestDockerPushesAndPulls(t *testing.T) {
	for _, hash := range []string{"sha256", "sha512"} {
		t.Run(hash, func(t *testing.T) { testPushPull(t, newLab(t, hash)) })
	}
}

func testPushPull(t *testing.T, l *lab) {
	name := l.registry + "/demo/app:1"
	id := l.build(name, 4096, 300_000, 2_000_000)
	history := l.history(name)
	out, err := l.login("alice/demo")
	require.NoError(t, err, out)
	require.Contains(t, out, "Login Succeeded")
	push := l.run("push", name)

	before := l.box.Writes()
	l.run("push", name)
	require.Equal(t, before, l.box.Writes(), "the same push again writes nothing to Glance")

	files := l.export(name)
	l.run("rmi", name)
	pull := l.run("pull", name)
	require.Equal(t, id, l.id(name))
	require.Equal(t, history, l.history(name))
	require.Equal(t, files, l.export(name))
	require.Equal(t, digestOf(push), digestOf(pull))
	l.checkRecords(id, digestOf(push))
}

// history is what made the layers, newest first. Ids are left out: Docker forgets those of the steps on a pull.
func (l *lab) history(name string) string {
	l.t.Helper()
	return l.run("history", "--no-trunc", "--format", "{{.CreatedBy}}", name)
}

// checkRecords compares what Docker and our own API say about the image.
func (l *lab) checkRecords(id, digest string) {
	s, err := l.store("token-demo", "demo", nil)
	require.NoError(l.t, err)
	img, err := s.Resolve(l.t.Context(), image.Ref{Repo: "demo/app", Tag: "1"})
	require.NoError(l.t, err)
	require.Equal(l.t, id, img.ID.String())
	require.Equal(l.t, digest, img.Digest.String())
	diffs := strings.Fields(l.run("image", "inspect", "-f", "{{range .RootFS.Layers}}{{.}} {{end}}", l.registry+"/demo/app:1"))
	n := len(diffs)
	require.Equal(l.t, 3, n)
	for layer, err := range image.Walk(l.t.Context(), s, img.Ref) {
		require.NoError(l.t, err)
		n--
		require.Equal(l.t, diffs[n], layer.DiffID.String())
	}
	require.Zero(l.t, n)
	var steps []string
	for _, s := range slices.Backward(img.History) {
		steps = append(steps, s.CreatedBy)
	}
	require.Equal(l.t, l.history(l.registry+"/demo/app:1"), strings.TrimSpace(strings.Join(steps, "\n")))
}

// export lists the files of an image with their content.
func (l *lab) export(name string) map[string]string {
	l.t.Helper()
	c := l.run("create", name, "none")
	defer l.run("rm", c)
	cmd := exec.Command("docker", "-H", l.docker, "export", c)
	raw, err := cmd.Output()
	require.NoError(l.t, err)
	files := map[string]string{}
	for t := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := t.Next()
		if err != nil {
			return files
		}
		if strings.HasPrefix(h.Name, "f") {
			var b bytes.Buffer
			_, err := b.ReadFrom(t)
			require.NoError(l.t, err)
			files[h.Name] = b.String()
		}
	}
}

// digestOf finds the digest in what docker push or pull printed.
func digestOf(out string) string {
	at := strings.Index(out, "sha256:")
	if at < 0 {
		return "none in: " + out
	}
	return out[at : at+71]
}

func TestTheScopeNamesTheProjectWhenTheLoginDoesNot(t *testing.T) {
	l := newLab(t, "sha256")
	name := l.registry + "/demo/plain:1"
	l.build(name, 100)
	out, err := l.login("alice@Default")
	require.NoError(t, err, out)
	require.Contains(t, l.run("push", name), "digest: sha256:")
}

func TestALayerOfTheProjectIsNotSentTwice(t *testing.T) {
	l := newLab(t, "sha256")
	one, two := l.registry+"/demo/one:1", l.registry+"/demo/two:1"
	l.build(one, 500_000)
	l.run("tag", one, two)
	t.Cleanup(func() { _, _ = l.try("", "rmi", "-f", two) })
	out, err := l.login("alice/demo")
	require.NoError(t, err, out)
	l.run("push", one)
	before := l.box.Writes()
	require.Contains(t, l.run("push", two), "Layer already exists")
	require.Equal(t, before+2, l.box.Writes(), "only the tag's record and its payload are new")
}

func TestAnotherProjectNeitherPullsNorPushes(t *testing.T) {
	l := newLab(t, "sha256")
	name := l.registry + "/demo/secret:1"
	l.build(name, 100)
	out, err := l.login("alice/demo")
	require.NoError(t, err, out)
	l.run("push", name)
	out, err = l.login("bob/alt")
	require.NoError(t, err, out)
	out, err = l.try("", "push", name)
	require.Error(t, err)
	require.Contains(t, out, "denied")
	l.run("rmi", name)
	out, err = l.try("", "pull", name)
	require.Error(t, err)
	require.Contains(t, out, "not found")
}

func TestAWrongPasswordDoesNotLogIn(t *testing.T) {
	l := newLab(t, "sha256")
	out, err := l.try("wrong", "login", "-u", "alice/demo", "--password-stdin", l.registry)
	require.Error(t, err)
	require.Contains(t, out, "unauthorized")
}
