package e2e

import (
	"io/fs"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// footprint is everything a set can leave on this machine, one entry each.
func (c *cloud) footprint(t *testing.T) []string {
	t.Helper()
	var list []string
	add := func(what string, entries ...string) {
		for _, e := range entries {
			if e != "" {
				list = append(list, what+" "+e)
			}
		}
	}
	add("container", strings.Fields(c.docker(t, "ps", "-aq", "--filter", "label=moset.host="+c.cfg.HostName))...)
	ports := lines(t, "ovs-vsctl", "--db=unix:"+c.cfg.OVSRunDir+"/db.sock", "list-ports", c.cfg.Bridge)
	add("port", ports...)
	add("flow", lines(t, "ovs-ofctl", "--no-stats", "dump-flows", "unix:"+c.cfg.OVSRunDir+"/"+c.cfg.Bridge+".mgmt")...)
	links, err := net.Interfaces()
	require.NoError(t, err)
	for _, l := range links {
		if slices.Contains(ports, l.Name) {
			add("link", l.Name)
		}
	}
	for _, id := range c.created { // other packages' sets come and go beside these
		cgroups, err := filepath.Glob("/sys/fs/cgroup/*/moset/" + id)
		require.NoError(t, err)
		add("cgroup", cgroups...)
	}
	require.NoError(t, filepath.WalkDir(filepath.Join(c.cfg.StateDir, "host"), func(path string, _ fs.DirEntry, err error) error {
		add("file", path)
		return err
	}))
	add("addresses", c.must(t, "demo", "network", "show", "default", "--format", "{{.in_use}}"))
	slices.Sort(list)
	return list
}

func lines(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", strings.Join(args, " "), out)
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
