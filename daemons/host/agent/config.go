package agent

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/moset/moset/pkg/authn"
	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
)

// Config describes one host.
type Config struct {
	Name       string               // unique in the region
	StateDir   string               // journal, volumes and generated files; made if missing
	URL        string               // how the region reaches this host's API
	RegionURL  string               // where to report
	Region     authn.Peer           // how this host and the region know each other
	DockerHost string               // Docker Engine: "unix:///var/run/docker.sock"
	Registry   string               // host:port of the registry; "https://host:port" where TLS is not a matter of course (loopback)
	Transfer   imagedocker.Transfer // default TransferPull: the engine pulls by itself
	TLS        *tls.Config          // for calls to the registry; nil trusts the machine's authorities
	OVSRunDir  string               // Open vSwitch's run directory; default /var/run/openvswitch
	Bridge     string               // default "br-moset"
	Uplink     string               // link that joins the bridge to those of other hosts; "" is none
	Datapath   string               // of the bridge: "netdev", "system", or "" for what the machine has
	Owner      uint16               // marks this host's flows and ports on the bridge; default 1
	Capacity   set.Resources        // what may be given to servers; zero fields: all the machine has
	Labels     map[string]string    // for placement
	Rack, Zone string               // for placement
	Strict     bool                 // refuse an engine without live-restore
	Tokens     TokenSource          // the host's own identity, for pulls without a creator's token; may be nil
	Report     time.Duration        // between reports to the region; default 2s
	Logger     *slog.Logger         // nil discards
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Name == "":
		return c, errors.New("a host needs a name")
	case c.Region == nil:
		return c, errors.New("host and region need to know each other: give the host a key or certificates")
	case c.StateDir == "":
		return c, errors.New("a host needs a state directory")
	}
	dir, err := filepath.Abs(c.StateDir)
	if err != nil {
		return c, fmt.Errorf("state directory: %w", err)
	}
	c.StateDir = dir
	setDefault(&c.OVSRunDir, "/var/run/openvswitch")
	setDefault(&c.Bridge, "br-moset")
	setDefault(&c.Owner, 1)
	setDefault(&c.Report, 2*time.Second)
	setDefault(&c.Logger, slog.New(slog.DiscardHandler))
	return c, c.fillCapacity()
}

func (c *Config) fillCapacity() error {
	machine, err := MachineCapacity()
	if err != nil {
		return err
	}
	setDefault(&c.Capacity.CPU, machine.CPU)
	setDefault(&c.Capacity.Memory, machine.Memory)
	setDefault(&c.Capacity.Pids, machine.Pids)
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
