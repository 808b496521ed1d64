// Package stack is a whole cloud in one process: region, host and registry on SQLite, with a Keystone and a
// Glance of their own, or on those of a cloud that is there. moset-allinone is this and flags; tests start it in process.
package stack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/moset/moset/daemons/host/agent"
	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/daemons/region/service"
	"github.com/moset/moset/daemons/registry/front"
	"github.com/moset/moset/internal/daemon"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image/imagetest"
	"github.com/moset/moset/pkg/set"
)

// Config describes the cloud.
type Config struct {
	StateDir   string // everything it keeps
	Listen     string // address to serve on; default 127.0.0.1
	Ports      Ports
	DockerHost string
	OVSRunDir  string
	Bridge     string        // default "br-moset"
	Datapath   string        // "netdev", "system", or "" for what the machine has
	HostName   string        // of the one host; default "local"
	Capacity   set.Resources // what the host gives to servers; zero fields: all the machine has
	Strict     bool          // the host is not ready on a Docker Engine without live-restore
	Planner    controller.Planner
	Cloud      *keystone.Credentials // of a service user of a cloud that is there; nil brings a Keystone and a Glance along
	Logger     *slog.Logger          // nil discards
}

// Ports are where the services listen; 0 takes a free one.
type Ports struct{ Region, Registry, Host, Keystone, Glance int }

// DefaultPorts are those of moset-allinone; AnyPorts takes free ones.
var (
	DefaultPorts = Ports{Region: 9780, Registry: 9781, Host: 9782, Keystone: 9783, Glance: 9784}
	AnyPorts     = Ports{}
)

// Stack is a running cloud.
type Stack struct {
	cfg       Config
	secrets   secrets
	key       authn.SharedKey // of region and host
	keystone  *authntest.Keystone
	glance    *imagetest.Glance
	session   *keystone.Session
	glanceURL string
	registry  *front.Front
	region    *service.Region
	host      *agent.Agent

	cancel    context.CancelFunc
	running   sync.WaitGroup
	listeners struct{ keystone, glance, registry, region, host *daemon.Listener }
	err       error
	closed    error // of the region
}

// Start starts everything and returns when it serves; the cloud ends with ctx. Errors name the port that
// is taken or the part that failed.
func Start(ctx context.Context, cfg Config) (*Stack, error) {
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1"
	}
	if cfg.HostName == "" {
		cfg.HostName = "local"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Stack{cfg: cfg}
	if err := s.bind(); err != nil {
		return nil, err
	}
	ctx, s.cancel = context.WithCancel(ctx)
	if err := s.compose(ctx); err != nil {
		s.cancel()
		return nil, errors.Join(err, s.Wait())
	}
	if err := s.writeCredentials(); err != nil {
		s.cancel()
		return nil, errors.Join(err, s.Wait())
	}
	return s, nil
}

// bind takes all ports before anything is started.
func (s *Stack) bind() error {
	l := func(name string, port int) *daemon.Listener {
		return &daemon.Listener{Name: name, Addr: net.JoinHostPort(s.cfg.Listen, strconv.Itoa(port))}
	}
	p := s.cfg.Ports
	if s.cfg.Cloud == nil {
		s.listeners.keystone, s.listeners.glance = l("keystone", p.Keystone), l("glance", p.Glance)
	}
	s.listeners.registry, s.listeners.region, s.listeners.host = l("registry", p.Registry), l("region", p.Region), l("host", p.Host)
	return daemon.BindAll(s.all()...)
}

// all are the listeners of this cloud.
func (s *Stack) all() []*daemon.Listener {
	own := []*daemon.Listener{s.listeners.registry, s.listeners.region, s.listeners.host}
	if s.cfg.Cloud != nil {
		return own
	}
	return append(own, s.listeners.keystone, s.listeners.glance)
}

// compose starts the parts in the order in which they need each other.
func (s *Stack) compose(ctx context.Context) error {
	if err := os.MkdirAll(s.cfg.StateDir, 0o700); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	parts := []func(context.Context) error{s.loadSecrets, s.startKeystone, s.startGlance, s.connect, s.startRegistry, s.startRegion, s.startHost}
	if s.cfg.Cloud != nil {
		parts = []func(context.Context) error{s.loadSecrets, s.connectCloud, s.startRegistry, s.startRegion, s.startHost}
	}
	for _, start := range parts {
		if err := start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// serve runs one listener until the cloud ends.
func (s *Stack) serve(ctx context.Context, l *daemon.Listener) {
	s.running.Go(func() {
		if err := l.Serve(ctx, 5*time.Second); err != nil {
			s.err = errors.Join(s.err, err)
			s.cancel()
		}
	})
}

func (s *Stack) startKeystone(ctx context.Context) (err error) {
	role := func(project string, roles ...string) map[string][]string { return map[string][]string{project: roles} }
	s.keystone, err = authntest.New(authntest.Config{
		Dir: filepath.Join(s.cfg.StateDir, "keystone"),
		Users: []authntest.User{
			{Name: "admin", Password: s.secrets.Admin, Projects: map[string][]string{"admin": {"admin", "member", "reader"}, "demo": {"admin"}}},
			{Name: "demo", Password: s.secrets.Demo, Projects: role("demo", "member", "reader")},
			{Name: "alt", Password: s.secrets.Alt, Projects: role("alt", "member", "reader")},
			{Name: "viewer", Password: s.secrets.Viewer, Projects: role("demo", "reader")},
			{Name: "moset", Password: s.secrets.Service, Projects: role("service", "service", "admin")},
		},
		Endpoints: map[string]string{
			"identity":           s.authURL(),
			"image":              url(s.listeners.glance),
			"container-set":      url(s.listeners.region),
			"container-registry": url(s.listeners.registry),
		},
	})
	if err != nil {
		return err
	}
	s.listeners.keystone.Handler = s.keystone
	s.serve(ctx, s.listeners.keystone)
	return nil
}

func (s *Stack) startGlance(ctx context.Context) (err error) {
	s.glance, err = imagetest.NewGlance(imagetest.GlanceConfig{Tokens: tokenChecker{s.verifier}, Hash: "sha256", Dir: filepath.Join(s.cfg.StateDir, "glance")})
	if err != nil {
		return err
	}
	s.listeners.glance.Handler = s.glance
	s.serve(ctx, s.listeners.glance)
	return nil
}

// connect authenticates the services' own user.
func (s *Stack) connect(ctx context.Context) (err error) {
	s.session, err = keystone.Connect(ctx, keystone.Credentials{AuthURL: s.authURL(), UserName: "moset", Password: s.secrets.Service, ProjectName: "service"})
	s.glanceURL = url(s.listeners.glance)
	return err
}

// connectCloud authenticates with the cloud that is there and finds its Glance.
func (s *Stack) connectCloud(ctx context.Context) (err error) {
	if s.session, err = keystone.Connect(ctx, *s.cfg.Cloud); err != nil {
		return err
	}
	s.glanceURL, err = s.session.Endpoint("image")
	return err
}

func (s *Stack) verifier() authn.Verifier { return keystone.NewVerifier(s.session, 0) }

func (s *Stack) startRegistry(ctx context.Context) (err error) {
	s.registry, err = front.New(front.Config{AuthURL: s.authURL(), GlanceURL: s.glanceURL, TLS: s.tls(), Logger: s.cfg.Logger,
		Verifier: authn.NewCached(s.verifier(), authn.CacheConfig{})})
	if err != nil {
		return err
	}
	s.listeners.registry.Handler = s.registry
	s.serve(ctx, s.listeners.registry)
	return nil
}

func (s *Stack) startRegion(ctx context.Context) (err error) {
	s.region, err = service.Start(ctx, service.Config{Database: filepath.Join(s.cfg.StateDir, "region", "region.db"), Session: s.session,
		GlanceURL: s.glanceURL, TLS: s.tls(), Hosts: s.key, Planner: s.cfg.Planner, Logger: s.cfg.Logger})
	if err != nil {
		return err
	}
	s.listeners.region.Handler = s.region.Handler()
	s.serve(ctx, s.listeners.region)
	s.running.Go(func() { // first of all: its watches on the host and its waiting callers would hold the others up
		<-ctx.Done()
		s.closed = s.region.Close()
	})
	return nil
}

func (s *Stack) startHost(ctx context.Context) (err error) {
	s.host, err = agent.New(agent.Config{Name: s.cfg.HostName, StateDir: filepath.Join(s.cfg.StateDir, "host"), URL: url(s.listeners.host),
		RegionURL: url(s.listeners.region), Region: s.key, DockerHost: s.cfg.DockerHost, Registry: s.listeners.registry.Bound.Addr().String(),
		OVSRunDir: s.cfg.OVSRunDir, Bridge: s.cfg.Bridge, Datapath: s.cfg.Datapath, Capacity: s.cfg.Capacity, Strict: s.cfg.Strict, Tokens: s.session, Logger: s.cfg.Logger})
	if err != nil {
		return err
	}
	s.listeners.host.Handler = s.host.Handler()
	s.serve(ctx, s.listeners.host)
	s.running.Go(func() { s.host.Report(ctx) })
	return nil
}

// Wait returns when everything has ended, with what ended it if it was not ctx.
func (s *Stack) Wait() error {
	s.running.Wait()
	errs := []error{s.err, s.closed}
	if s.host != nil {
		errs = append(errs, s.host.Close())
	}
	if s.registry != nil {
		errs = append(errs, s.registry.Close())
	}
	if s.glance != nil {
		errs = append(errs, s.glance.Close())
	}
	for _, l := range s.all() {
		if l.Handler == nil {
			_ = l.Bound.Close() // bound, but never served
		}
	}
	_ = os.Remove(s.readyFile())
	return errors.Join(errs...)
}

// Keystone is the box that the cloud authenticates with; nil on a cloud that is there.
func (s *Stack) Keystone() *authntest.Keystone { return s.keystone }

// Glance is the box that holds the images; nil on a cloud that is there.
func (s *Stack) Glance() *imagetest.Glance { return s.glance }

func (s *Stack) authURL() string {
	if s.cfg.Cloud != nil {
		return s.session.AuthURL()
	}
	return url(s.listeners.keystone) + "/v3"
}

// tls is what calls to the cloud's own services trust.
func (s *Stack) tls() *tls.Config {
	if s.cfg.Cloud != nil {
		return s.cfg.Cloud.TLS
	}
	return nil
}

// Registry is where images are pushed to: host:port.
func (s *Stack) Registry() string { return s.listeners.registry.Bound.Addr().String() }

func url(l *daemon.Listener) string { return "http://" + l.Bound.Addr().String() }

// RegionURL is where the region serves.
func (s *Stack) RegionURL() string { return url(s.listeners.region) }

// Port is the region's port.
func (s *Stack) Port() int { return s.listeners.region.Bound.Addr().(*net.TCPAddr).Port }
