// Command moset-region is the controller. It finds Keystone and Glance by the OS_* variables or OS_CLOUD, of
// a user with the role service or admin.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"path/filepath"

	"github.com/moset/moset/daemons/region/service"
	"github.com/moset/moset/internal/daemon"
	"github.com/moset/moset/pkg/authn"
)

func main() { daemon.Run("moset-region", serve) }

func serve(ctx context.Context) error {
	listen := flag.String("listen", "127.0.0.1:9780", "address to serve on")
	state := flag.String("state", "/var/lib/moset/region", "directory of the database")
	var hosts daemon.PeerFlags
	hosts.Add()
	cloud := flag.String("os-cloud", "", "cloud of clouds.yaml")
	level := flag.String("log", "info", "log level: debug, info, warn or error")
	flag.Parse()
	log, err := daemon.Logger(*level)
	if err != nil {
		return err
	}
	peer, _, err := hosts.Peer(authn.RoleHost)
	if err != nil {
		return err
	}
	at, err := daemon.ConnectOpenStack(ctx, *cloud)
	if err != nil {
		return err
	}
	l := &daemon.Listener{Name: "region", Addr: *listen}
	if l.TLS, err = hosts.Server(); err != nil {
		return err
	}
	if err := daemon.BindAll(l); err != nil {
		return err
	}
	region, err := service.Start(ctx, service.Config{Database: filepath.Join(*state, "region.db"), Session: at.Session, GlanceURL: at.Glance,
		Hosts: peer, TLS: at.TLS, Logger: log})
	if err != nil {
		return err
	}
	l.Handler = region.Handler()
	log.Info("ready", slog.String("listen", l.Bound.Addr().String()))
	return errors.Join(daemon.ServeAll(ctx, service.Grace, l), region.Close())
}
