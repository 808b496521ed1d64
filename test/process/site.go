package process

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/moset/moset/pkg/hostnet"
)

// Site is where the servers of one host leave something.
type Site struct {
	Host       string // its name
	StateDir   string
	DockerHost string
	OVSRunDir  string
	Bridge     string
}

// Footprint is everything servers have on the host's machine, one sorted line each: containers, ports, flows,
// links, files and, of the servers named, cgroups.
func (s Site) Footprint(t testing.TB, servers ...string) []string {
	t.Helper()
	var list []string
	add := func(what string, entries ...string) {
		for _, e := range entries {
			list = append(list, what+" "+e)
		}
	}
	add("container", output(t, "docker", "--host", s.DockerHost, "ps", "-aq", "--filter", "label=moset.host="+s.Host)...)
	ports := output(t, "ovs-vsctl", "--db=unix:"+s.OVSRunDir+"/db.sock", "list-ports", s.Bridge)
	add("port", ports...)
	add("flow", output(t, "ovs-ofctl", "--no-stats", "dump-flows", "unix:"+s.OVSRunDir+"/"+s.Bridge+".mgmt")...)
	add("link", s.links(t, ports)...)
	add("file", s.files(t)...)
	for _, id := range servers { // those of other sites come and go beside these
		add("cgroup", cgroups(t, id)...)
	}
	slices.Sort(list)
	return list
}

// links are those of the bridge's ports, and any the host made that is no port or not one any more.
func (s Site) links(t testing.TB, ports []string) (names []string) {
	t.Helper()
	group := hostnet.Config{RunDir: s.OVSRunDir, Bridge: s.Bridge, Owner: 1}.HostLinkGroup()
	links, err := netlink.LinkList()
	require.NoError(t, err)
	for _, l := range links {
		if a := l.Attrs(); a.Group == group || slices.Contains(ports, a.Name) {
			names = append(names, a.Name)
		}
	}
	return names
}

// files are those of the state directory, without the directory of servers, which the first of them makes.
func (s Site) files(t testing.TB) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(s.StateDir, func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went while we looked
		}
		if path != filepath.Join(s.StateDir, "servers") {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

func cgroups(t testing.TB, server string) []string {
	t.Helper()
	one, err := filepath.Glob("/sys/fs/cgroup/moset/" + server)
	require.NoError(t, err)
	perController, err := filepath.Glob("/sys/fs/cgroup/*/moset/" + server)
	require.NoError(t, err)
	return append(one, perController...)
}

// Namespaces counts the network namespaces that a process holds open.
func Namespaces(t testing.TB, pid int) (n int) {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err == nil && strings.HasPrefix(target, "net:[") {
			n++
		}
	}
	return n
}

// output is what a program prints, by line.
func output(t testing.TB, args ...string) []string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", strings.Join(args, " "), out)
	return slices.DeleteFunc(strings.Split(string(out), "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
}
