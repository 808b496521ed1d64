// Package machines holds the test of a cloud whose daemons run on machines of their own: network namespaces
// with an address each, a Docker Engine and an Open vSwitch on each host, a wire between the switches,
// certificates between region and hosts, and a registry behind TLS that no engine was told of.
package machines

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
	"github.com/moset/moset/test/process"
)

var programs process.Programs

func TestMain(m *testing.M) { os.Exit(process.Main(m, &programs)) }

const (
	mgmt    = "mosetmgmt" // the network all machines are on
	gateway = "10.213.0.1"
	uplink  = "uplink0"
)

// machine is a network namespace with an address on the management network.
type machine struct{ name, address string }

func (m machine) netns() string { return "moset-" + m.name }
func (m machine) path() string  { return hostnettest.NetNSPath(m.netns()) }

// run runs a command that has to succeed.
func run(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", strings.Join(args, " "), out)
}

func ip(t *testing.T, args string) {
	t.Helper()
	run(t, nil, append([]string{"ip"}, strings.Fields(args)...)...)
}

// newNetwork makes the management network, with the test itself on it.
func newNetwork(t *testing.T) {
	t.Helper()
	ip(t, "link add "+mgmt+" type bridge")
	t.Cleanup(func() { ip(t, "link del "+mgmt) })
	ip(t, "addr add "+gateway+"/24 dev "+mgmt)
	ip(t, "link set "+mgmt+" up")
}

// newMachine makes a namespace and plugs it into the management network.
func newMachine(t *testing.T, name, address string) machine {
	t.Helper()
	m := machine{name, address}
	require.NoError(t, hostnettest.MakeNetNS(m.netns()))
	t.Cleanup(func() { assert.NoError(t, hostnettest.DeleteNetNS(m.netns())) })
	cable := "mm-" + name
	ip(t, "link add "+cable+" type veth peer name eth0 netns "+m.netns())
	ip(t, "link set "+cable+" master "+mgmt+" up")
	ip(t, "-n "+m.netns()+" addr add "+address+"/24 dev eth0")
	ip(t, "-n "+m.netns()+" link set eth0 up")
	ip(t, "-n "+m.netns()+" link set lo up")
	return m
}

// connect lays a wire between two machines for the traffic of sets.
func connect(t *testing.T, a, b machine) {
	t.Helper()
	ip(t, "-n "+a.netns()+" link add "+uplink+" type veth peer name "+uplink+" netns "+b.netns())
}

// host is a machine with an engine and a switch.
type host struct {
	machine
	state string // directory
}

// newHost starts an engine and a switch on a machine.
func newHost(t *testing.T, name, address string) host {
	t.Helper()
	h := host{newMachine(t, name, address), filepath.Dir(os.Getenv("MOSET_TEST_OVS_RUNDIR")) + "-" + name}
	env := []string{"MOSET_STATE=" + h.state}
	t.Cleanup(func() {
		run(t, env, "nsenter", "--net="+h.path(), "../../scripts/machine", "stop")
		assert.NoError(t, os.RemoveAll(h.state))
	})
	run(t, env, "nsenter", "--net="+h.path(), "../../scripts/machine", "start")
	return h
}

func (h host) engine() string { return "unix://" + h.state + "/docker.sock" }
func (h host) bridge() string { return "br-" + h.name }

func (h host) config(files authn.CertificateFiles) process.Host {
	return process.Host{Name: h.name, Bridge: h.bridge(), DockerHost: h.engine(), OVSRunDir: h.state + "/ovs",
		Place: process.Place{NetNS: h.path(), Listen: h.address + ":9782", URL: "https://" + h.address + ":9782",
			Flags: append(flags(files), "-tls-ca", files.CA, "-transfer", "load", "-uplink", uplink)}}
}

func (h host) site(c *process.Cloud) process.Site {
	return process.Site{Host: h.name, StateDir: c.StateDir(h.name), DockerHost: h.engine(), OVSRunDir: h.state + "/ovs", Bridge: h.bridge()}
}

func flags(files authn.CertificateFiles) []string {
	return []string{"-tls-cert", files.Cert, "-tls-key", files.Key}
}

// issue makes the certificate of a machine.
func issue(t *testing.T, a *authntest.Authority, m machine, role string) authn.CertificateFiles {
	t.Helper()
	files, err := a.Issue(m.name, role, m.address)
	require.NoError(t, err)
	return files
}
