package e2e

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/moset/moset/test/process"
)

// footprint is everything a set can leave in this cloud, one entry each.
func (c *cloud) footprint(t *testing.T) []string {
	t.Helper()
	site := process.Site{Host: c.cfg.HostName, StateDir: filepath.Join(c.cfg.StateDir, "host"), DockerHost: c.cfg.DockerHost,
		OVSRunDir: c.cfg.OVSRunDir, Bridge: c.cfg.Bridge}
	return append(site.Footprint(t, c.created...), "addresses "+c.must(t, "demo", "network", "show", "default", "--format", "{{.in_use}}"))
}

// leavesNothing waits until the footprint is what it was before: a host is told to drop what the region gave
// up, and does so a moment later.
func (c *cloud) leavesNothing(t *testing.T, before []string) {
	t.Helper()
	var now []string
	for deadline := time.Now().Add(process.Patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if now = c.footprint(t); slices.Equal(before, now) {
			return
		}
	}
	assert.Equal(t, before, now)
}
