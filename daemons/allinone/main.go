// Command moset-allinone is a whole cloud in one process: region, host and registry, with a Keystone and a
// Glance of their own. The state directory holds openrc files for its users.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/moset/moset/daemons/allinone/stack"
	"github.com/moset/moset/internal/daemon"
	"github.com/moset/moset/pkg/authn/keystone"
)

func main() { daemon.Run("moset-allinone", serve) }

func serve(ctx context.Context) error {
	cfg := stack.Config{Ports: stack.DefaultPorts}
	level := flag.String("log", "info", "log level: debug, info, warn or error")
	flag.StringVar(&cfg.StateDir, "state", "/var/lib/moset", "everything the cloud keeps")
	flag.StringVar(&cfg.Listen, "listen", "127.0.0.1", "address to serve on")
	flag.IntVar(&cfg.Ports.Region, "port", cfg.Ports.Region, "port of the region; the other services take the four that follow")
	flag.StringVar(&cfg.DockerHost, "docker-host", os.Getenv("DOCKER_HOST"), "Docker Engine")
	flag.StringVar(&cfg.OVSRunDir, "ovs-rundir", "", "run directory of Open vSwitch")
	flag.StringVar(&cfg.Bridge, "bridge", "", "bridge to attach sets to")
	flag.StringVar(&cfg.Datapath, "datapath", "", "datapath of the bridge: netdev or system")
	flag.StringVar(&cfg.HostName, "name", "local", "name of the host in the region")
	cloud := flag.Bool("cloud", false, "use the Keystone and the Glance of the cloud that the OS_* variables or OS_CLOUD name (as a user with the role service), not own ones")
	flag.BoolVar(&cfg.Strict, "strict", false, "not ready on a Docker Engine without live-restore")
	flag.Parse()
	if os.Geteuid() != 0 {
		return errors.New("containers, namespaces and the switch need root: run it as root")
	}
	p := cfg.Ports.Region
	cfg.Ports = stack.Ports{Region: p, Registry: p + 1, Host: p + 2, Keystone: p + 3, Glance: p + 4}
	var err error
	if cfg.Logger, err = daemon.Logger(*level); err != nil {
		return err
	}
	if *cloud {
		creds, err := keystone.FromEnv("")
		if err != nil {
			return err
		}
		cfg.Cloud = &creds
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	running, err := stack.Start(ctx, cfg)
	if err != nil {
		return err
	}
	cfg.Logger.Info("ready", slog.String("credentials", filepath.Join(cfg.StateDir, "openrc-demo")))
	return running.Wait()
}
