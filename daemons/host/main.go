// Command moset-host runs and watches servers on one machine. With OS_* variables or OS_CLOUD set it has an
// identity of its own for pulls after a restart.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"time"

	"github.com/moset/moset/daemons/host/agent"
	"github.com/moset/moset/internal/daemon"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
)

func main() { daemon.Run("moset-host", serve) }

func serve(ctx context.Context) error {
	name, _ := os.Hostname()
	var cfg agent.Config
	listen := flag.String("listen", "127.0.0.1:9782", "address to serve the region on")
	var region daemon.PeerFlags
	region.Add()
	flag.StringVar((*string)(&cfg.Transfer), "transfer", "pull", "how images come to the Docker Engine: pull (it pulls by itself) or load (this host brings it the missing layers)")
	level := flag.String("log", "info", "log level: debug, info, warn or error")
	flag.StringVar(&cfg.Name, "name", name, "name of this host in the region")
	flag.StringVar(&cfg.StateDir, "state", "/var/lib/moset/host", "journal, volumes and generated files")
	flag.StringVar(&cfg.URL, "url", "", "URL by which the region reaches this host (default: the listen address)")
	flag.StringVar(&cfg.RegionURL, "region", "http://127.0.0.1:9780", "URL of the region")
	flag.StringVar(&cfg.Registry, "registry", "127.0.0.1:9781", "registry as host:port, or https://host:port")
	flag.StringVar(&cfg.DockerHost, "docker-host", os.Getenv("DOCKER_HOST"), "Docker Engine")
	flag.StringVar(&cfg.OVSRunDir, "ovs-rundir", "", "run directory of Open vSwitch")
	flag.StringVar(&cfg.Bridge, "bridge", "", "bridge to attach sets to")
	flag.StringVar(&cfg.Datapath, "datapath", "", "datapath of the bridge: netdev or system")
	flag.StringVar(&cfg.Uplink, "uplink", "", "link of this machine that joins the bridge to those of other hosts: tenants are VLANs on it")
	flag.StringVar(&cfg.Rack, "rack", "", "rack, for placement")
	flag.StringVar(&cfg.Zone, "zone", "", "zone, for placement")
	flag.BoolVar(&cfg.Strict, "strict", false, "not ready on a Docker Engine without live-restore")
	flag.Parse()
	log, err := daemon.Logger(*level)
	if err != nil {
		return err
	}
	cfg.Logger = log
	if os.Geteuid() != 0 {
		return errors.New("containers, namespaces and the switch need root: run it as root")
	}
	if cfg.Region, cfg.TLS, err = region.Peer(authn.RoleRegion); err != nil {
		return err
	}
	if creds, err := keystone.FromEnv(""); err == nil {
		cfg.Tokens = &agent.OwnTokens{Credentials: creds}
	}
	l := &daemon.Listener{Name: "host", Addr: *listen}
	if l.TLS, err = region.Server(); err != nil {
		return err
	}
	return run(ctx, cfg, l)
}

func run(ctx context.Context, cfg agent.Config, l *daemon.Listener) error {
	if err := daemon.BindAll(l); err != nil {
		return err
	}
	if cfg.URL == "" {
		cfg.URL = l.URL()
	}
	host, err := agent.New(cfg)
	if err != nil {
		return err
	}
	l.Handler = host.Handler()
	go host.Report(ctx)
	cfg.Logger.Info("ready", slog.String("listen", l.Bound.Addr().String()))
	return errors.Join(daemon.ServeAll(ctx, 10*time.Second, l), host.Close())
}
