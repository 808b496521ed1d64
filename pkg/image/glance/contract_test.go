package glance_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
)

// box is a Glance with the projects demo and alt and an administrator.
type box struct {
	t      *testing.T
	glance *imagetest.Glance
	url    string
	cache  *glance.Cache
}

func newBox(t *testing.T, hash string) *box { return newBoxOf(t, imagetest.GlanceConfig{Hash: hash}) }

func newBoxOf(t *testing.T, cfg imagetest.GlanceConfig) *box {
	cfg.Tokens = imagetest.FixedTokens{
		"token-demo":  {ProjectID: "id-demo", Roles: []string{"member"}},
		"token-alt":   {ProjectID: "id-alt", Roles: []string{"member"}},
		"token-view":  {ProjectID: "id-demo", Roles: []string{"reader"}},
		"token-admin": {ProjectID: "id-admin", Roles: []string{"admin"}},
	}
	g, err := imagetest.NewGlance(cfg)
	require.NoError(t, err)
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	return &box{t: t, glance: g, url: srv.URL, cache: new(glance.Cache)}
}

func (b *box) Store(project string) image.Store { return b.as("token-"+project, project) }

func (b *box) as(token, project string) *glance.Store {
	b.t.Helper()
	s, err := glance.New(b.config(token, project))
	require.NoError(b.t, err)
	return s
}

func (b *box) config(token, project string) glance.Config {
	return glance.Config{Endpoint: b.url, Token: token, ProjectID: "id-" + project, Project: project, Cache: b.cache}
}

func TestGlanceKeepsTheContract(t *testing.T) {
	for _, hash := range []string{"sha256", "sha512"} {
		t.Run(hash, func(t *testing.T) {
			imagetest.TestStore(t, func(t *testing.T) imagetest.Projects { return newBox(t, hash) })
		})
	}
	t.Run("on a store that knows no ranges", func(t *testing.T) {
		imagetest.TestStore(t, func(t *testing.T) imagetest.Projects {
			return newBoxOf(t, imagetest.GlanceConfig{Hash: "sha256", Whole: true})
		})
	})
}
