package process

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Footprint is everything that servers and their tasks have in this cloud, one sorted line each: what
// Site.Footprint finds on every host, the records, names, tasks under way and addresses of project demo, and
// the shares of hosts given away. servers are the ids whose cgroups are looked for.
func (c *Cloud) Footprint(t testing.TB, servers ...string) []string {
	t.Helper()
	var list []string
	for _, s := range c.Sites() {
		for _, line := range s.Footprint(t, servers...) {
			list = append(list, s.Host+" "+line)
		}
	}
	ask := func(what, user string, args ...string) {
		for line := range strings.Lines(c.Must(t, user, args...)) {
			list = append(list, what+" "+strings.TrimSpace(line))
		}
	}
	ask("server", "demo", "server", "list", "--format", "{{range .}}{{.name}} {{.id}} task {{index . \"task_id\"}}\n{{end}}")
	ask("addresses", "demo", "network", "list", "--format", "{{range .}}{{.name}} {{.in_use}}\n{{end}}")
	ask("share", "admin", "host", "list", "--format", "{{range .}}{{.name}} {{.servers}} {{.used}}\n{{end}}")
	slices.Sort(list)
	return list
}

// Sites are where the hosts' servers leave something.
func (c *Cloud) Sites() (sites []Site) {
	for _, h := range c.cfg.Hosts {
		sites = append(sites, Site{Host: h.Name, StateDir: c.StateDir(h.Name), DockerHost: h.DockerHost, OVSRunDir: h.OVSRunDir, Bridge: h.Bridge})
	}
	return sites
}

// LeavesNothing waits until a footprint is what it was before: a host is told to drop what the region gave
// up, and does so a moment later.
func LeavesNothing(t testing.TB, before []string, footprint func() []string) {
	t.Helper()
	now := footprint()
	for deadline := time.Now().Add(Patience); !slices.Equal(before, now) && time.Now().Before(deadline); now = footprint() {
		time.Sleep(50 * time.Millisecond)
	}
	assert.Equal(t, before, now)
}
