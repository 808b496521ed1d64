package clients

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// skopeoRaw is the manifest of an image as skopeo gets it.
func (s *site) skopeoRaw(name string) string {
	s.t.Helper()
	s.skopeo("login", "-u", "alt/alt", "-p", s.password, s.registry)
	return s.skopeo("inspect", "--raw", "docker://"+s.name(name))
}

// manifestsOf are the digests that an index lists.
func (s *site) manifestsOf(name string) []string {
	s.t.Helper()
	var x struct{ Manifests []struct{ Digest string } }
	require.NoError(s.t, json.Unmarshal([]byte(s.skopeoRaw(name)), &x))
	require.Len(s.t, x.Manifests, 2)
	return []string{x.Manifests[0].Digest, x.Manifests[1].Digest}
}

func TestGoContainerRegistry(t *testing.T) {
	crane := filepath.Join(t.TempDir(), "crane")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "ggcr", "-o", crane, "github.com/google/go-containerregistry/cmd/crane").CombinedOutput()
	require.NoError(t, err, "crane cannot be built, is the module proxy within reach? %s", out)
	onEverySite(t, func(s *site) { runCrane(s, crane) })
}

func runCrane(s *site, program string) {
	dir, index, images := s.layout()
	crane := func(args ...string) string {
		s.t.Helper()
		return s.run(append([]string{program, "--insecure"}, args...)...)
	}
	crane("auth", "login", s.registry, "-u", "alt/alt", "-p", s.password)
	s.skopeo("login", "-u", "alt/alt", "-p", s.password, s.registry)
	for _, tag := range []string{single, multi} {
		s.skopeo("copy", "oci:"+dir+":"+tag, "oci:"+filepath.Join(s.dir, tag)+":"+tag)
		crane("push", filepath.Join(s.dir, tag), s.name("crane:"+tag))
		assert.Equal(s.t, images[tag].Manifest.Digest.String(), crane("digest", s.name("crane:"+tag)))
	}
	crane("index", "append", "-m", s.name("crane:"+single), "-m", s.name("crane:"+multi), "-t", s.name("crane:all"))
	for _, d := range s.manifestsOf("crane:all") {
		assert.Contains(s.t, string(index.Body), d)
	}

	crane("copy", s.name("crane:all"), s.name("copied:1"))
	before := s.sent.Load()
	crane("copy", s.name("crane:"+multi), s.name("copied:2"))
	assert.Equal(s.t, before, s.sent.Load(), "within the project layers are mounted")
	crane("tag", s.name("copied:2"), "3")
	assert.Equal(s.t, []string{"1", "2", "3"}, strings.Fields(crane("ls", s.name("copied"))))
	assert.Subset(s.t, strings.Fields(crane("catalog", s.registry)), []string{"alt/copied", "alt/crane"})

	crane("pull", "--format", "oci", s.name("copied:2"), filepath.Join(s.dir, "back"))
	for _, l := range images[multi].Layers {
		assert.Equal(s.t, l, s.read(s.dir, "back", "blobs", "sha256", hexOf(l)))
	}
	crane("pull", s.name("copied:2"), filepath.Join(s.dir, "back.tar"))
	crane("push", filepath.Join(s.dir, "back.tar"), s.name("crane:tarball"))
	crane("validate", "--remote", s.name("crane:tarball"))
	crane("validate", "--remote", s.name("crane:all"))

	crane("delete", s.name("copied:3"))
	assert.Equal(s.t, []string{"1", "2"}, s.tags("copied"))
	crane("delete", s.name("copied")+"@"+images[multi].Manifest.Digest.String())
	_, err := s.try(program, "--insecure", "manifest", s.name("copied:2"))
	assert.ErrorContains(s.t, err, "MANIFEST_UNKNOWN")
}
