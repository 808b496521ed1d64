package clients

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDockerLogsInWithPasswordAndApplicationCredential(t *testing.T) {
	setting(t, "MOSET_TEST_DOCKER")
	onEverySite(t, func(s *site) {
		docker := func(args ...string) (string, error) {
			return s.try(append([]string{"docker", "-H", setting(t, "MOSET_TEST_DOCKER")}, args...)...)
		}
		must := func(args ...string) {
			s.t.Helper()
			_, err := docker(args...)
			assert.NoError(s.t, err)
		}
		dir, _, _ := s.layout()
		s.skopeo("login", "-u", "alt/alt", "-p", s.password, s.registry)
		s.skopeo("copy", "oci:"+dir+":"+single, "docker://"+s.name("web:1"))
		_, err := docker("login", s.registry, "-u", "alt/alt", "-p", "wrong")
		assert.ErrorContains(s.t, err, "unauthorized")
		id, secret := s.applicationCredential()
		for _, login := range [][2]string{{"alt/alt", s.password}, {id, secret}} {
			must("login", s.registry, "-u", login[0], "-p", login[1])
			must("pull", "-q", s.name("web:1"))
			must("tag", s.name("web:1"), s.name("web:2"))
			must("push", "-q", s.name("web:2"))
			must("rmi", s.name("web:1"), s.name("web:2"))
			must("logout", s.registry)
			_, err = docker("pull", "-q", s.name("web:1"))
			assert.ErrorContains(s.t, err, "nobody is logged in: run docker login first")
		}
		assert.Equal(s.t, []string{"1", "2"}, s.tags("web"))
	})
}
