// Package service composes a region: store, addresses, controller and API on one Keystone and one Glance.
// The region daemon and allinone are this and a listener.
package service

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/moset/moset/daemons/region/api"
	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/daemons/region/store/sqlite"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
)

// Grace is how long requests under way may take when the region stops.
const Grace = 10 * time.Second

// Config says what a region stands on.
type Config struct {
	Database  string             // file
	Session   *keystone.Session  // of a user that may verify tokens
	GlanceURL string             // endpoint of Glance
	Hosts     authn.Peer         // how region and hosts know each other
	TLS       *tls.Config        // for calls to Glance; nil trusts the machine's authorities
	Planner   controller.Planner // nil is the built-in scheduler
	Cache     authn.CacheConfig  // of token verification
	Logger    *slog.Logger       // nil discards
}

// Region is a running region.
type Region struct {
	store      store.Store
	controller *controller.Controller
	handler    http.Handler
}

// Start opens the database and goes on with what was under way.
func Start(ctx context.Context, cfg Config) (*Region, error) {
	if cfg.Hosts == nil {
		return nil, errors.New("a region needs to know its hosts: give it a key or certificates")
	}
	db, err := sqlite.Open(cfg.Database)
	if err != nil {
		return nil, err
	}
	networks := ipam.New(ipam.Config{Store: db})
	c, err := controller.New(ctx, controller.Config{
		Store: db, Networks: networks, Planner: cfg.Planner, Logger: cfg.Logger,
		Images: &controller.GlanceImages{Endpoint: cfg.GlanceURL, Transport: manyConnections(cfg.TLS), Logger: cfg.Logger},
		Dial:   dialer(cfg.Hosts),
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	h := api.New(api.Config{Controller: c, Networks: networks, Hosts: cfg.Hosts, KeystoneURL: cfg.Session.AuthURL(), Logger: cfg.Logger,
		Verifier: authn.NewCached(keystone.NewVerifier(cfg.Session, 0), cfg.Cache)})
	return &Region{store: db, controller: c, handler: h}, nil
}

// dialer reaches hosts by the URL they report, with the proof of who calls.
func dialer(hosts authn.Peer) func(controller.Host) (set.Agent, error) {
	client := &http.Client{Transport: hosts.Transport(manyConnections(nil))}
	return func(h controller.Host) (set.Agent, error) {
		return setapi.NewAgentClient(setapi.ClientConfig{URL: h.URL, HTTP: client}), nil
	}
}

func manyConnections(cfg *tls.Config) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = cfg
	t.MaxIdleConnsPerHost = 64
	return t
}

// Handler serves the region's API.
func (r *Region) Handler() http.Handler { return r.handler }

// Controller is the region's controller, for callers in the same process.
func (r *Region) Controller() *controller.Controller { return r.controller }

// Close ends the region's work; hosts and their servers go on.
func (r *Region) Close() error { return errors.Join(r.controller.Close(), r.store.Close()) }
