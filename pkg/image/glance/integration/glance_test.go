// Package integration holds the store of package glance against a real Glance, once with sha256 digests on
// Swift and once with sha512 digests on files. scripts/openstack starts both and names them.
package integration

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
)

// cloud is a Glance with two projects of its own.
type cloud struct {
	t        *testing.T
	endpoint string
	cache    *glance.Cache
	ids      map[string]string // of projects
	tokens   map[string]string
}

func newCloud(t *testing.T, endpoint string) *cloud {
	t.Helper()
	keystone := newIdentity(t)
	c := &cloud{t: t, endpoint: endpoint, cache: new(glance.Cache), ids: map[string]string{}, tokens: map[string]string{}}
	for _, name := range []string{"demo", "alt"} {
		c.ids[name] = keystone.newProject(t, name, name)
		c.tokens[name] = keystone.token(t, name, c.ids[name])
	}
	return c
}

// Store implements imagetest.Projects.
func (c *cloud) Store(project string) image.Store {
	c.t.Helper()
	s, err := glance.New(c.config(project))
	require.NoError(c.t, err)
	return s
}

func (c *cloud) config(project string) glance.Config {
	return glance.Config{Endpoint: c.endpoint, Token: c.tokens[project], ProjectID: c.ids[project], Project: project, Cache: c.cache}
}

func TestTheRealGlanceKeepsTheContract(t *testing.T) {
	for name, variable := range map[string]string{
		"sha256 digests, on Swift": "MOSET_TEST_GLANCE",
		"sha512 digests, on files": "MOSET_TEST_GLANCE_SHA512",
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := setting(t, variable)
			imagetest.TestStore(t, func(t *testing.T) imagetest.Projects { return newCloud(t, endpoint) })
		})
	}
}
