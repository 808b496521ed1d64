package docker

import (
	"cmp"
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

	// Timeout bounds one Prepare, Start, Remove or List, and one Stop on top of its containers' grace;
	// what takes longer is set.ErrUnavailable and its outcome unknown. Default 2m.
	Timeout time.Duration
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
	_ set.Suspender    = (*Engine)(nil)
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
	cfg = cfg.withDefaults()
	c, err := client.NewClientWithOpts(client.WithHost(cfg.Host), client.WithAPIVersionNegotiation(), manyConnections)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", set.ErrInvalid, err)
	}
	return &Engine{cfg: cfg, docker: c, cgroups: cgroups{root: cfg.CgroupRoot, parent: cfg.CgroupParent}}, nil
}

func (c Config) withDefaults() Config {
	c.Host = cmp.Or(c.Host, client.DefaultDockerHost)
	c.CgroupParent = cmp.Or(c.CgroupParent, "/moset")
	c.CgroupRoot = cmp.Or(c.CgroupRoot, "/sys/fs/cgroup")
	c.Timeout = cmp.Or(c.Timeout, 2*time.Minute)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
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

// bound gives an operation its deadline, so that an engine that hangs holds nobody for ever.
func (e *Engine) bound(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, e.cfg.Timeout+grace)
}

// negotiate settles the API version, once. The client does so by itself, but its ContainerList and Events
// read the version before: a race with calls that settle it at the same time.
func (e *Engine) negotiate(ctx context.Context) error {
	return e.docker.NewVersionError(ctx, minAPI, "running sets")
}
