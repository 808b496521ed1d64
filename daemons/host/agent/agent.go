// Package agent is the host daemon: a set.Manager on Docker, images from the registry and a port on Open
// vSwitch, served to the region as a set.Agent, with reports of its readiness. It is where pkg/set,
// pkg/image and pkg/hostnet meet.
package agent

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/moset/moset/pkg/hostnet"
	imagedocker "github.com/moset/moset/pkg/image/docker"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/docker"
	"github.com/moset/moset/pkg/set/setapi"
)

// Agent runs one host.
type Agent struct {
	cfg     Config
	journal *set.FileJournal
	engine  *docker.Engine
	puller  *imagedocker.Client
	network *lazyNetwork
	manager *set.Manager
	http    *http.Client // to the region
}

// New composes the host and takes over what its journal says. Docker and Open vSwitch need not be up: the
// host reports itself not ready until they are. Errors: set.ErrConflict when the journal is in use.
func New(cfg Config) (*Agent, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	a := &Agent{cfg: cfg}
	a.http = &http.Client{Transport: cfg.Region.Transport(nil), Timeout: 10 * time.Second}
	if a.journal, err = set.OpenFileJournal(filepath.Join(cfg.StateDir, "journal")); err != nil {
		return nil, err
	}
	if err := a.compose(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *Agent) compose() (err error) {
	if a.engine, err = docker.New(docker.Config{Host: a.cfg.DockerHost, Root: a.cfg.StateDir, HostName: a.cfg.Name, Strict: a.cfg.Strict, Logger: a.cfg.Logger}); err != nil {
		return err
	}
	registry, scheme := a.cfg.Registry, ""
	if rest, ok := strings.CutPrefix(registry, "https://"); ok {
		registry, scheme = rest, "https"
	}
	if a.puller, err = imagedocker.New(imagedocker.Config{Host: a.cfg.DockerHost, Registry: registry, Scheme: scheme, Transfer: a.cfg.Transfer,
		TLS: a.cfg.TLS, Logger: a.cfg.Logger}); err != nil {
		return err
	}
	a.network = &lazyNetwork{cfg: hostnet.Config{Bridge: a.cfg.Bridge, RunDir: a.cfg.OVSRunDir, Datapath: hostnet.Datapath(a.cfg.Datapath),
		Uplink: a.cfg.Uplink, Owner: a.cfg.Owner, OwnerName: a.cfg.Name, Logger: a.cfg.Logger}}
	a.manager, err = set.NewManager(set.ManagerConfig{Engine: a.engine, Images: images{puller: a.puller, own: a.cfg.Tokens}, Network: a.network,
		Journal: a.journal, Logger: a.cfg.Logger})
	return err
}

// Handler serves the host's API to the region.
func (a *Agent) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("/", a.cfg.Region.Middleware(setapi.AgentHandler(host{a.manager, warmer{a.puller}})))
	return mux
}

// host is the set.Agent with the abilities of this machine.
type host struct {
	*set.Manager
	warmer
}

// Close ends the daemon's work; containers, ports and flows stay.
func (a *Agent) Close() error {
	var errs []error
	if a.manager != nil {
		errs = append(errs, a.manager.Close())
	}
	if a.network != nil {
		errs = append(errs, a.network.Close())
	}
	if a.puller != nil {
		errs = append(errs, a.puller.Close())
	}
	if a.engine != nil {
		errs = append(errs, a.engine.Close())
	}
	return errors.Join(append(errs, a.journal.Close())...)
}

// Check says why the host cannot take servers just now, nil if it can.
func (a *Agent) Check(ctx context.Context) error {
	if err := a.engine.Check(ctx); err != nil {
		return err
	}
	return a.network.Check(ctx)
}
