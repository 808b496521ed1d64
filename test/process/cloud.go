package process

import (
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/image/imagetest"
)

// Config describes a cloud. The zero value of everything but Programs is a cloud of one host on loopback.
type Config struct {
	Programs Programs
	Address  string        // that the Keystone and the Glance box listen on; default 127.0.0.1
	TokenTTL time.Duration // of the Keystone box; default 1h
	Images   string        // directory for the payloads of the Glance box; default is memory
	Env      []string      // of every daemon and every command line: "OS_CACERT=..."

	Certificates bool // Flags name certificates, so no key of region and hosts is given
	Region       Place
	Registry     Place
	Hosts        []Host // default: one named "apart"
}

// Place is where a daemon runs and listens.
type Place struct {
	NetNS  string   // path of a network namespace; "" is the test's own
	Listen string   // host:port; default a free port of 127.0.0.1
	URL    string   // by which others reach it; default http:// and Listen
	Flags  []string // after the harness's own, so these win
}

// Host is one machine's daemon. Several may share an engine and a switch: names and bridges differ.
type Host struct {
	Place
	Name       string
	Bridge     string // default "br-" and Name, at most 15 characters
	DockerHost string // default MOSET_TEST_DOCKER
	OVSRunDir  string // default MOSET_TEST_OVS_RUNDIR
}

// Cloud is a running cloud.
type Cloud struct {
	Keystone           *authntest.Keystone
	Glance             *imagetest.Glance
	AuthURL, GlanceURL string
	Region, Registry   *Daemon
	Dir                string // of states, logs and keys

	cfg    Config
	hosts  []*Daemon
	glance atomic.Pointer[http.Handler]
}

// Start runs a cloud until the test ends, and waits until its hosts are ready.
func Start(t testing.TB, cfg Config) *Cloud {
	t.Helper()
	c := Prepare(t, cfg)
	c.Region.Start(t)
	c.Registry.Start(t)
	for _, h := range c.hosts {
		h.Start(t)
	}
	c.AwaitHosts(t, len(c.hosts))
	return c
}

// Prepare is Start without starting any daemon: the boxes serve and the catalog names the daemons to be.
func Prepare(t testing.TB, cfg Config) *Cloud {
	t.Helper()
	c := &Cloud{cfg: cfg.withDefaults(t)}
	var err error
	c.Dir, err = os.MkdirTemp("", "moset-process-") // short, for sockets, and not removed before the daemons end
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(c.Dir) })
	require.NoError(t, os.WriteFile(c.keyFile(), []byte("a key of region and hosts\n"), 0o600))
	c.startBoxes(t)
	c.Region = c.daemon(t, "region", c.cfg.Region, append(c.peer(), "-state", c.StateDir("region"))...)
	c.Registry = c.daemon(t, "registry", c.cfg.Registry)
	c.Keystone.SetEndpoint("container-set", c.Region.URL)
	c.Keystone.SetEndpoint("container-registry", c.Registry.URL)
	for _, h := range c.cfg.Hosts {
		c.hosts = append(c.hosts, c.hostDaemon(t, h))
	}
	return c
}

func (cfg Config) withDefaults(t testing.TB) Config {
	t.Helper()
	setDefault(&cfg.Address, "127.0.0.1")
	if len(cfg.Hosts) == 0 {
		cfg.Hosts = []Host{{Name: "apart"}}
	}
	cfg.Region.setDefaults(t)
	cfg.Registry.setDefaults(t)
	cfg.Hosts = append([]Host(nil), cfg.Hosts...) // the caller's stay as they are
	for i := range cfg.Hosts {
		h := &cfg.Hosts[i]
		h.setDefaults(t)
		setDefault(&h.Bridge, "br-"+h.Name)
		setDefault(&h.DockerHost, os.Getenv("MOSET_TEST_DOCKER"))
		setDefault(&h.OVSRunDir, os.Getenv("MOSET_TEST_OVS_RUNDIR"))
	}
	return cfg
}

func (p *Place) setDefaults(t testing.TB) {
	t.Helper()
	if p.Listen == "" {
		p.Listen = freeAddress(t)
	}
	setDefault(&p.URL, "http://"+p.Listen)
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// freeAddress finds a free port below those that outgoing connections get, so that it stays free while a
// daemon is down.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+rand.IntN(12000)))
		if l, err := net.Listen("tcp", address); err == nil {
			require.NoError(t, l.Close())
			return address
		}
	}
	require.FailNow(t, "there is no free port between 20000 and 32000")
	return ""
}

func (c *Cloud) keyFile() string { return filepath.Join(c.Dir, "key") }

// StateDir is the state directory of a daemon: "region", or the name of a host.
func (c *Cloud) StateDir(name string) string { return filepath.Join(c.Dir, name+"-state") }

// peer are the flags by which region and hosts know each other.
func (c *Cloud) peer() []string {
	if c.cfg.Certificates {
		return nil
	}
	return []string{"-key-file", c.keyFile()}
}

// daemon describes a program of the services' user that is stopped when the test ends.
func (c *Cloud) daemon(t testing.TB, program string, p Place, args ...string) *Daemon {
	d := &Daemon{Name: program, URL: p.URL, NetNS: p.NetNS, Env: c.Env("moset"), logFile: filepath.Join(c.Dir, program+".log")}
	d.Args = append([]string{filepath.Join(string(c.cfg.Programs), program), "-listen", p.Listen}, args...)
	d.Args = append(d.Args, p.Flags...)
	t.Cleanup(func() {
		if d.Running() {
			d.Stop(t)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", d.Name, tail(d.Log()))
		}
	})
	return d
}

// NewRegistry describes one more registry in front of the same Glance; Start it.
func (c *Cloud) NewRegistry(t testing.TB, p Place) *Daemon {
	t.Helper()
	p.setDefaults(t)
	d := c.daemon(t, "registry", p)
	d.Name, d.logFile = "second registry", filepath.Join(c.Dir, "registry-2.log")
	return d
}

func (c *Cloud) hostDaemon(t testing.TB, h Host) *Daemon {
	args := append(c.peer(), "-state", c.StateDir(h.Name), "-name", h.Name, "-url", h.URL, "-region", c.Region.URL,
		"-registry", strings.TrimPrefix(c.Registry.URL, "http://"), "-bridge", h.Bridge, "-datapath", "netdev",
		"-docker-host", h.DockerHost, "-ovs-rundir", h.OVSRunDir)
	d := c.daemon(t, "host", h.Place, args...)
	d.Name, d.logFile = h.Name, filepath.Join(c.Dir, h.Name+".log")
	return d
}

// Host is the daemon of the host of that name.
func (c *Cloud) Host(name string) *Daemon {
	for _, h := range c.hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}
