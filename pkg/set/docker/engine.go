package docker

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/docker/docker/client"

	"github.com/moset/moset/pkg/set"
)

// Config says which engine to use and where to keep what containers share.
type Config struct {
	Host         string       // "unix:///var/run/docker.sock", the default, or any DOCKER_HOST
	Root         string       // directory for volumes and generated files; made if missing; needed
	HostName     string       // the moset host: engines that share a Docker keep to their own label; needed
	CgroupParent string       // default "/moset"
	CgroupRoot   string       // default "/sys/fs/cgroup"
	Strict       bool         // Check refuses an engine without live-restore instead of warning
	Logger       *slog.Logger // nil discards
}

// Engine runs sets on one Docker Engine.
type Engine struct {
	cfg     Config
	docker  *client.Client
	cgroups cgroups

	mu      sync.Mutex
	pauseID string // local id of the infra image, once loaded
	warned  bool   // about live-restore
}

var (
	_ set.Engine       = (*Engine)(nil)
	_ set.EngineEvents = (*Engine)(nil)
)

// New makes an Engine; it does not connect yet. Errors: set.ErrInvalid.
func New(cfg Config) (*Engine, error) {
	if cfg.Root == "" || cfg.HostName == "" {
		return nil, fmt.Errorf("%w: a Docker engine needs Root and HostName", set.ErrInvalid)
	}
	root, err := filepath.Abs(cfg.Root)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	cfg.Root = root
	if cfg.Host == "" {
		cfg.Host = client.DefaultDockerHost
	}
	if cfg.CgroupParent == "" {
		cfg.CgroupParent = "/moset"
	}
	if cfg.CgroupRoot == "" {
		cfg.CgroupRoot = "/sys/fs/cgroup"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := client.NewClientWithOpts(client.WithHost(cfg.Host), client.WithAPIVersionNegotiation(), manyConnections)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	return &Engine{cfg: cfg, docker: c, cgroups: cgroups{root: cfg.CgroupRoot, parent: cfg.CgroupParent}}, nil
}

// manyConnections keeps enough connections open for a burst: the default of two would dial for each call.
func manyConnections(c *client.Client) error {
	if t, ok := c.HTTPClient().Transport.(*http.Transport); ok {
		t.MaxIdleConns, t.MaxIdleConnsPerHost, t.IdleConnTimeout = 128, 128, time.Minute
	}
	return nil
}

// Close gives the connections back. Containers go on running.
func (e *Engine) Close() error { return e.docker.Close() }

// Check says whether sets can run: the engine answers, is new enough and uses cgroupfs. Errors: set.ErrUnavailable.
func (e *Engine) Check(ctx context.Context) error {
	info, err := e.docker.Info(ctx)
	if err != nil {
		return e.translate("check", "", err)
	}
	switch {
	case info.CgroupDriver != "cgroupfs":
		return fmt.Errorf("%w: Docker at %s uses the %s cgroup driver: start it with --exec-opt native.cgroupdriver=cgroupfs", set.ErrUnavailable, e.cfg.Host, info.CgroupDriver)
	case !info.LiveRestoreEnabled && e.cfg.Strict:
		return fmt.Errorf("%w: Docker at %s runs without live-restore, so its restart would stop every set: start it with --live-restore", set.ErrUnavailable, e.cfg.Host)
	case !info.LiveRestoreEnabled:
		e.warnOnce()
	}
	return nil
}

func (e *Engine) warnOnce() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.warned {
		e.cfg.Logger.Warn("Docker runs without live-restore: its restart stops every set; start it with --live-restore", "docker", e.cfg.Host)
		e.warned = true
	}
}
