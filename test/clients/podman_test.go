package clients

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/moset/moset/pkg/image"
)

// podman runs podman with a store of its own; nothing is run in it, so it needs neither network nor cgroups.
func (s *site) podman(args ...string) string {
	s.t.Helper()
	store := filepath.Join(s.dir, "podman")
	return s.run(append([]string{"podman", "--root", store + "/root", "--runroot", store + "/run", "--tmpdir", store + "/tmp",
		"--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none"}, args...)...)
}

func TestPodman(t *testing.T) { onEverySite(t, podman) }

func podman(s *site) {
	dir, _, images := s.layout()
	id, secret := s.applicationCredential()
	s.podman("login", "--tls-verify=false", "-u", id, "-p", secret, s.registry)
	s.podman("pull", "oci:"+dir+":"+multi)
	local := strings.Fields(s.podman("images", "-q", "--no-trunc"))[0]
	s.podman("tag", local, s.name("pod:1"))

	s.podman("push", "--tls-verify=false", s.name("pod:1"))
	s.podman("push", "--tls-verify=false", "--format", "v2s2", local, s.name("pod:docker"))
	assert.ElementsMatch(s.t, []string{"1", "docker"}, s.tags("pod"))
	assert.Equal(s.t, image.MediaTypeDockerManifest, s.manifest(s.skopeoRaw("pod:docker")).MediaType)

	for _, tag := range []string{"1", "docker"} {
		s.podman("rmi", "-a", "-f")
		s.podman("pull", "--tls-verify=false", s.name("pod:"+tag))
		diffs := s.podman("inspect", "-f", "{{range .RootFS.Layers}}{{.}} {{end}}", s.name("pod:"+tag))
		assert.Len(s.t, strings.Fields(diffs), len(images[multi].Layers))
	}

	s.podman("manifest", "create", "all", "oci:"+dir+":"+single)
	s.podman("manifest", "add", "all", "oci:"+dir+":"+multi)
	s.podman("manifest", "push", "--tls-verify=false", "--all", "--format", "oci", "all", "docker://"+s.name("pod:all"))
	assert.Len(s.t, s.manifestsOf("pod:all"), 2)
	s.skopeo("copy", "--all", "docker://"+s.name("pod:all"), "oci:"+filepath.Join(s.dir, "all")+":x")
	s.podman("logout", s.registry)
}
