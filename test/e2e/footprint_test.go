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
