package docker

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/moset/moset/pkg/image"
)

// Config says which engine and which registry.
type Config struct {
	Host     string        // of the engine: "unix:///var/run/docker.sock", the default
	Registry string        // host:port that the engine reaches the registry by
	Scheme   string        // for this program's own calls to the registry; default http on loopback, else https
	Retries  int           // of a pull that broke off; default 3
	HTTP     *http.Client  // for this program's own calls; nil is one with a timeout of 30s
	Backoff  time.Duration // before the first retry, then doubled; default 500ms
	Logger   *slog.Logger  // nil discards
}

// Client moves images between one engine and one registry. It may be used by several goroutines.
type Client struct {
	cfg    Config
	docker *client.Client

	mu    sync.Mutex
	pulls map[string]*pull // by digest: concurrent pulls of one image share the transfer
}

// Request names an image of the registry and the right to it.
type Request struct {
	Repository string // "project/app"
	Digest     string // of the manifest; needed by Pull
	Tag        string // used by Push, and by Pull when there is no Digest
	Token      string // Keystone token; empty asks without one
}

// New makes a Client; it does not connect yet. Errors: image.ErrInvalid.
func New(cfg Config) (*Client, error) {
	if cfg.Registry == "" {
		return nil, &image.Error{Op: "connect", Err: fmt.Errorf("%w: a registry as host:port is needed", image.ErrInvalid)}
	}
	if cfg.Host == "" {
		cfg.Host = client.DefaultDockerHost
	}
	if cfg.Scheme == "" {
		cfg.Scheme = "https"
		if strings.HasPrefix(cfg.Registry, "127.") || strings.HasPrefix(cfg.Registry, "localhost:") || strings.HasPrefix(cfg.Registry, "[::1]:") {
			cfg.Scheme = "http" // as the engine does
		}
	}
	if cfg.Retries == 0 {
		cfg.Retries = 3
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = 500 * time.Millisecond
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := client.NewClientWithOpts(client.WithHost(cfg.Host), client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, &image.Error{Op: "connect", ID: cfg.Host, Err: fmt.Errorf("%w: %w", image.ErrInvalid, err)}
	}
	return &Client{cfg: cfg, docker: c, pulls: map[string]*pull{}}, nil
}

// Close gives the connections back.
func (c *Client) Close() error { return c.docker.Close() }

// reference is the image as the engine names it.
func (c *Client) reference(r Request) string {
	if r.Digest != "" {
		return c.cfg.Registry + "/" + r.Repository + "@" + r.Digest
	}
	return c.cfg.Registry + "/" + r.Repository + ":" + r.Tag
}

// auth is the X-Registry-Auth header that makes the engine send the token as it is.
func auth(token string) string {
	b, err := json.Marshal(map[string]string{"registrytoken": token})
	if err != nil {
		panic(err) // a string: cannot fail
	}
	return base64.URLEncoding.EncodeToString(b)
}

// translate gives the engine's errors image's sentinels.
func (c *Client) translate(op, id string, err error) error {
	var known *image.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	text := strings.TrimPrefix(err.Error(), "Error response from daemon: ")
	lower := strings.ToLower(text)
	switch {
	case client.IsErrConnectionFailed(err):
		err = fmt.Errorf("%w: Docker does not answer at %s: start it, or name another one", image.ErrUnavailable, c.cfg.Host)
	case errdefs.IsNotFound(err), strings.Contains(lower, "manifest unknown"), strings.Contains(lower, "not found"):
		err = fmt.Errorf("%w: %s", image.ErrNotFound, text)
	case strings.Contains(lower, "unauthorized"), strings.Contains(lower, "authentication required"):
		err = fmt.Errorf("%w: %s", image.ErrUnauthorized, text)
	case strings.Contains(lower, "denied"):
		err = fmt.Errorf("%w: %s", image.ErrDenied, text)
	case strings.Contains(lower, "no space left on device"):
		err = fmt.Errorf("%w: %s", ErrNoSpace, text)
	default:
		err = fmt.Errorf("%w: %w", image.ErrUnavailable, err)
	}
	return &image.Error{Op: op, ID: id, Err: err}
}

// ErrNoSpace: the host's disk is full. Trying again does not help until somebody makes room.
var ErrNoSpace = errors.New("the host has no disk space for the image")
