// Command moset-registry serves docker push and docker pull on Glance. It finds Keystone and Glance as
// every OpenStack client does: by the OS_* variables or OS_CLOUD, of a user with the role service or admin.
// moset-registry gc deletes what no image needs.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"time"

	"github.com/moset/moset/daemons/registry/front"
	"github.com/moset/moset/daemons/registry/garbage"
	"github.com/moset/moset/internal/daemon"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image/glance"
)

func main() {
	daemon.Run("moset-registry", func(ctx context.Context) error {
		if len(os.Args) > 1 && os.Args[1] == "gc" {
			return garbage.Command(ctx, os.Args[2:], os.Stdout)
		}
		return serve(ctx)
	})
}

func serve(ctx context.Context) error {
	listen := flag.String("listen", "127.0.0.1:9781", "address to serve on")
	realm := flag.String("realm", "", "URL of the token endpoint as clients reach it (default: derived from each request)")
	var cert daemon.TLSFlags
	cert.Add()
	var replicas front.ReplicaFlags
	replicas.Add()
	var gc garbage.Flags
	gc.Add(flag.CommandLine, "gc-")
	cloud := flag.String("os-cloud", "", "cloud of clouds.yaml")
	level := flag.String("log", "info", "log level: debug, info, warn or error")
	flag.Parse()
	log, err := daemon.Logger(*level)
	if err != nil {
		return err
	}
	at, err := daemon.ConnectOpenStack(ctx, *cloud)
	if err != nil {
		return err
	}
	handler, err := front.New(front.Config{AuthURL: at.Session.AuthURL(), GlanceURL: at.Glance, Realm: *realm, TLS: at.TLS, Logger: log, Replicas: replicas.Replicas,
		Verifier: authn.NewCached(keystone.NewVerifier(at.Session, 0), authn.CacheConfig{})})
	if err != nil {
		return err
	}
	defer handler.Close()
	collector, err := gc.Collector(at, glance.CollectorConfig{}, log)
	if err != nil {
		return err
	}
	go gc.Loop(ctx, collector, log, handler.Collected)
	l := &daemon.Listener{Name: "registry", Addr: *listen, Handler: handler, Drain: handler.Drain}
	if l.TLS, err = cert.Server(); err != nil {
		return err
	}
	if err := daemon.BindAll(l); err != nil {
		return err
	}
	log.Info("ready", slog.String("listen", l.Bound.Addr().String()))
	return daemon.ServeAll(ctx, 30*time.Second, l)
}
