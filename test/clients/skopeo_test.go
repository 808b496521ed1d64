package clients

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/imagetest"
)

func (s *site) skopeo(verb string, args ...string) string {
	s.t.Helper()
	switch verb {
	case "copy":
		args = append([]string{"--src-tls-verify=false", "--dest-tls-verify=false"}, args...)
	default:
		args = append([]string{"--tls-verify=false"}, args...)
	}
	return s.run(append([]string{"skopeo", "--insecure-policy", verb}, args...)...)
}

func TestSkopeo(t *testing.T) { onEverySite(t, skopeo) }

func skopeo(s *site) {
	dir, index, images := s.layout()
	at := func(name string) string { return "docker://" + s.name(name) }
	s.skopeo("login", "-u", "alt/alt", "-p", s.password, s.registry)

	s.t.Run("images and an index arrive as they are", func(t *testing.T) {
		for _, tag := range []string{single, multi} {
			s.skopeo("copy", "oci:"+dir+":"+tag, at("app:"+tag))
			assert.Equal(t, string(images[tag].Manifest.Body), s.skopeo("inspect", "--raw", at("app:"+tag)))
		}
		s.skopeo("copy", "--all", "oci:"+dir+":"+arches, at("app:"+arches))
		assert.Equal(t, string(index.Body), s.skopeo("inspect", "--raw", at("app:"+arches)))
		var list struct{ Tags []string }
		require.NoError(t, json.Unmarshal([]byte(s.skopeo("list-tags", at("app"))), &list))
		assert.ElementsMatch(t, []string{single, multi, arches}, list.Tags)
	})

	s.t.Run("a pull brings the same bytes", func(t *testing.T) {
		out := filepath.Join(s.dir, "pulled")
		s.skopeo("copy", "--all", at("app:"+arches), "oci:"+out+":x")
		for _, f := range []imagetest.Fixture{images[single], images[multi]} {
			for _, blob := range append([][]byte{f.Config, f.Manifest.Body}, f.Layers...) {
				assert.Equal(t, blob, s.read(out, "blobs", "sha256", hexOf(blob)))
			}
		}
	})

	s.t.Run("docker's format and zstd", func(t *testing.T) {
		s.skopeo("copy", "--format", "v2s2", "oci:"+dir+":"+multi, at("app:docker"))
		m := s.manifest(s.skopeo("inspect", "--raw", at("app:docker")))
		assert.Equal(t, image.MediaTypeDockerManifest, m.MediaType)
		assert.Len(t, m.Layers, 4)
		s.skopeo("copy", "--format", "oci", "--dest-compress-format", "zstd", "oci:"+dir+":"+squash, at("zstd:1"))
		for _, l := range s.manifest(s.skopeo("inspect", "--raw", at("zstd:1"))).Layers {
			assert.Equal(t, v1.MediaTypeImageLayerZstd, l.MediaType)
		}
		s.skopeo("copy", at("zstd:1"), "oci:"+filepath.Join(s.dir, "unzstd")+":x")
	})

	s.t.Run("a copy to another repository sends no layer", func(t *testing.T) {
		before := s.sent.Load()
		s.skopeo("copy", at("app:"+multi), at("other:1"))
		assert.Equal(t, before, s.sent.Load())
		assert.Equal(t, string(images[multi].Manifest.Body), s.skopeo("inspect", "--raw", at("other:1")))
	})

	s.t.Run("what is deleted is gone", func(t *testing.T) {
		s.skopeo("delete", at("other:1"))
		_, err := s.try("skopeo", "inspect", "--tls-verify=false", "--raw", at("other:1"))
		assert.ErrorContains(t, err, "manifest unknown")
		s.skopeo("copy", at("app:"+multi), at("other:1"))
	})
}

func TestSkopeoLogins(t *testing.T) {
	onEverySite(t, func(s *site) {
		dir, _, _ := s.layout()
		to := "docker://" + s.name("login:1")
		_, err := s.try("skopeo", "copy", "--dest-tls-verify=false", "oci:"+dir+":"+single, to)
		assert.ErrorContains(s.t, err, "auth") // nobody has logged in
		for _, wrong := range []string{"wrong", s.password + "x"} {
			_, err = s.try("skopeo", "login", "--tls-verify=false", "-u", "alt/alt", "-p", wrong, s.registry)
			assert.ErrorContains(s.t, err, "invalid username/password")
		}
		id, secret := s.applicationCredential()
		for _, login := range [][2]string{{"alt", s.password}, {"alt/alt", s.password}, {"alt@Default/alt", s.password}, {id, secret}} {
			s.skopeo("login", "-u", login[0], "-p", login[1], s.registry)
			s.skopeo("copy", "oci:"+dir+":"+single, to)
			_, err := s.try("skopeo", "copy", "--dest-tls-verify=false", "oci:"+dir+":"+single, "docker://"+s.registry+"/demo/app:1")
			assert.Error(s.t, err, "another project's repository")
			s.run("skopeo", "logout", s.registry)
		}
		assert.Equal(s.t, []string{"1"}, s.tags("login"))
	})
}

// tags of a repository of the project.
func (s *site) tags(repo string) []string {
	s.t.Helper()
	var list struct{ Tags []string }
	require.NoError(s.t, json.Unmarshal(s.get(fmt.Sprintf("/v2/alt/%s/tags/list", repo)), &list))
	return list.Tags
}
