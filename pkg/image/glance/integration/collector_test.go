package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/imagetest"
)

// Collect implements imagetest.Collected.
func (c *cloud) Collect(t *testing.T, project string, later time.Duration, untagged bool) imagetest.Collection {
	t.Helper()
	collector, err := glance.NewCollector(c.config(project), glance.CollectorConfig{
		Grace: time.Hour, Untagged: untagged, Now: func() time.Time { return time.Now().Add(later) },
	})
	require.NoError(t, err)
	r, err := collector.Run(t.Context())
	require.NoError(t, err)
	require.Zero(t, r.Failures)
	return imagetest.Collection{Marked: r.Marked, Rescued: r.Rescued, Deleted: r.Deleted}
}

func TestTheCollectorKeepsItsContractOnTheRealGlance(t *testing.T) {
	for name, variable := range map[string]string{
		"sha256 digests, on Swift": "MOSET_TEST_GLANCE",
		"sha512 digests, on files": "MOSET_TEST_GLANCE_SHA512",
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := setting(t, variable)
			imagetest.TestCollector(t, func(t *testing.T) imagetest.Collected { return newCloud(t, endpoint) })
		})
	}
}

// TestAnAdministratorCollectsForAllProjects is a dry run: the projects of other tests are at work meanwhile.
func TestAnAdministratorCollectsForAllProjects(t *testing.T) {
	c := newCloud(t, setting(t, "MOSET_TEST_GLANCE_SHA512"))
	for _, project := range []string{"demo", "alt"} {
		f := imagetest.NewFixture(project)
		require.NoError(t, imagetest.Push(t.Context(), c.Store(project), image.Ref{Repo: project + "/app", Digest: f.Manifest.Digest}, f))
	}
	owners := map[string]bool{}
	keystone := newIdentity(t)
	collector, err := glance.NewCollector(glance.Config{Endpoint: c.endpoint, Token: keystone.admin, ProjectID: "admin", Project: "admin"}, glance.CollectorConfig{
		Grace: time.Hour, AllProjects: true, Untagged: true, DryRun: true,
		Now:   func() time.Time { return time.Now().Add(48 * time.Hour) },
		Found: func(g glance.Garbage) { owners[g.Project] = true },
	})
	require.NoError(t, err)
	_, err = collector.Run(t.Context())
	require.NoError(t, err)
	for project, id := range c.ids {
		require.True(t, owners[id], "the manifest of %s has no tag", project)
	}
}
