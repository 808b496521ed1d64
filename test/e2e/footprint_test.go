package e2e

import (
	"path/filepath"
	"testing"

	"github.com/moset/moset/test/process"
)

// footprint is everything a set can leave in this cloud, one entry each.
func (c *cloud) footprint(t *testing.T) []string {
	t.Helper()
	site := process.Site{Host: c.cfg.HostName, StateDir: filepath.Join(c.cfg.StateDir, "host"), DockerHost: c.cfg.DockerHost,
		OVSRunDir: c.cfg.OVSRunDir, Bridge: c.cfg.Bridge}
	return append(site.Footprint(t, c.created...), "addresses "+c.must(t, "demo", "network", "show", "default", "--format", "{{.in_use}}"))
}

// leavesNothing waits until the footprint is what it was before.
func (c *cloud) leavesNothing(t *testing.T, before []string) {
	t.Helper()
	process.LeavesNothing(t, before, func() []string { return c.footprint(t) })
}
