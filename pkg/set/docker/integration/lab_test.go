// Package integration drives the engine against a real Docker.
//
// MOSET_TEST_DOCKER names its socket, as in unix:///run/docker.sock; make test starts one and sets it.
package integration

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/docker"
)

// lab is an engine, an image to run on it, and Docker itself to look behind the engine's back.
type lab struct {
	*docker.Engine
	t      *testing.T
	host   string // of Docker
	name   string // of the moset host
	root   string
	parent string // cgroup
	docker *client.Client
	image  string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	host := os.Getenv("MOSET_TEST_DOCKER")
	require.NotEmpty(t, host, "set MOSET_TEST_DOCKER to the socket of a private Docker engine, or run make test")
	c, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	l := &lab{t: t, host: host, name: "lab-" + rand.Text()[:8], root: t.TempDir(), docker: c}
	l.parent = "/moset-" + l.name
	t.Cleanup(l.removeParent)
	l.Engine = l.newEngine()
	l.image = l.loadImage()
	return l
}

// newEngine is the engine as the next process would make it.
func (l *lab) newEngine() *docker.Engine {
	l.t.Helper()
	e, err := docker.New(docker.Config{Host: l.host, Root: l.root, HostName: l.name, CgroupParent: l.parent, Strict: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(l.t, err)
	l.t.Cleanup(func() { require.NoError(l.t, e.Close()) })
	return e
}

// removeParent takes away the parent cgroup of this lab, which must be empty.
func (l *lab) removeParent() {
	dirs, err := filepath.Glob("/sys/fs/cgroup/*" + l.parent)
	require.NoError(l.t, err)
	for _, d := range dirs {
		require.NoError(l.t, ignoreMissing(syscall.Rmdir(d)), d)
	}
}

func ignoreMissing(err error) error {
	if err == syscall.ENOENT { //nolint:errorlint // an Errno as the call gave it
		return nil
	}
	return err
}

// loadImage builds the helper and loads an image of it, with one file that cannot be executed.
func (l *lab) loadImage() string {
	l.t.Helper()
	program := filepath.Join(l.t.TempDir(), "helper")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./testdata/helper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(l.t, err, string(out))
	code, err := os.ReadFile(program)
	require.NoError(l.t, err)

	layer := archive(l.t, map[string][]byte{"helper": code, "notes": []byte("no program")})
	sum := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{"architecture": "amd64", "os": "linux", "config": map[string]any{"Entrypoint": []string{"/helper"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}}})
	require.NoError(l.t, err)
	id := sha256.Sum256(config)
	name := hex.EncodeToString(id[:])
	manifest := fmt.Sprintf(`[{"Config":"%s.json","Layers":["layer.tar"]}]`, name)
	resp, err := l.docker.ImageLoad(l.t.Context(), bytes.NewReader(archive(l.t, map[string][]byte{name + ".json": config, "layer.tar": layer, "manifest.json": []byte(manifest)})))
	require.NoError(l.t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(l.t, err)
	require.NoError(l.t, resp.Body.Close())
	_, err = l.docker.ImageInspect(l.t.Context(), "sha256:"+name)
	require.NoError(l.t, err, string(text))
	l.t.Cleanup(func() {
		_, _ = l.docker.ImageRemove(context.Background(), "sha256:"+name, dockerimage.RemoveOptions{}) // another test may use it
	})
	return "sha256:" + name
}

func archive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		mode := int64(0o644)
		if name == "helper" {
			mode = 0o755
		}
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data)), Typeflag: tar.TypeReg}))
		_, err := w.Write(data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// instance is a set of the given containers, all of the helper image, with a volume "data" at /data.
func (l *lab) instance(containers ...set.Container) set.Instance {
	in := set.Instance{Assignment: set.Assignment{
		ServerID: strings.ToLower(rand.Text()), Name: "shop", ProjectID: "demo", Generation: 1, Epoch: 1, Desired: set.DesiredRunning,
		Spec:   set.Spec{Containers: containers, Volumes: []set.Volume{{Name: "data"}}},
		Images: map[string]set.Image{},
	}, ImageIDs: map[string]string{}}
	for i := range containers {
		c := &in.Spec.Containers[i]
		c.Image, c.Mounts = "demo/helper:1", []set.Mount{{Volume: "data", Path: "/data"}}
		in.ImageIDs[c.Name] = l.image
		in.Images[c.Name] = set.Image{Ref: c.Image, Digest: l.image}
	}
	l.t.Cleanup(func() {
		require.NoError(l.t, l.Remove(context.Background(), in.ServerID))
		l.requireGone(in.ServerID)
	})
	return in
}

// up brings an instance up.
func (l *lab) up(in set.Instance) set.Sandbox {
	l.t.Helper()
	s, err := l.Prepare(l.t.Context(), in)
	require.NoError(l.t, err)
	require.NoError(l.t, l.Start(l.t.Context(), in))
	return s
}

// found is the server as List has it.
func (l *lab) found(in set.Instance) set.Found {
	l.t.Helper()
	list, err := l.List(l.t.Context(), in.ServerID)
	require.NoError(l.t, err)
	require.Len(l.t, list, 1)
	return list[0]
}

// status of one container.
func (l *lab) status(in set.Instance, name string) set.ContainerStatus {
	l.t.Helper()
	for _, c := range l.found(in).Containers {
		if c.Name == name {
			return c
		}
	}
	require.Fail(l.t, "no container "+name)
	return set.ContainerStatus{}
}

// eventually waits for a container to be as wanted.
func (l *lab) eventually(in set.Instance, name string, want func(set.ContainerStatus) bool) set.ContainerStatus {
	l.t.Helper()
	var c set.ContainerStatus
	require.Eventually(l.t, func() bool { c = l.status(in, name); return want(c) }, 10*time.Second, 20*time.Millisecond)
	return c
}

// file waits for a file of the volume "data".
func (l *lab) file(in set.Instance, name string) string {
	l.t.Helper()
	path := filepath.Join(l.root, "servers", in.ServerID, "volumes", "data", name)
	var text []byte
	require.Eventually(l.t, func() (ok bool) {
		b, err := os.ReadFile(path)
		text = b
		return err == nil && len(b) > 0
	}, 10*time.Second, 10*time.Millisecond, path)
	return string(text)
}

// requireGone looks for leaks: containers, directories, cgroups.
func (l *lab) requireGone(serverID string) {
	l.t.Helper()
	left, err := l.docker.ContainerList(context.Background(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", "moset.server="+serverID))})
	require.NoError(l.t, err)
	require.Empty(l.t, left, "containers")
	require.NoDirExists(l.t, filepath.Join(l.root, "servers", serverID))
	for _, pattern := range []string{"/sys/fs/cgroup/*", "/sys/fs/cgroup"} {
		dirs, err := filepath.Glob(filepath.Join(pattern, l.parent, serverID))
		require.NoError(l.t, err)
		require.Empty(l.t, dirs, "cgroups")
	}
	list, err := l.List(context.Background(), serverID)
	require.NoError(l.t, err)
	require.Empty(l.t, list)
}
