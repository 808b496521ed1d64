package docker

import (
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/client"

	"github.com/moset/moset/pkg/image"
)

// Config says which engine and which registry.
type Config struct {
	Host      string                          // of the engine: "unix:///var/run/docker.sock", the default
	Registry  string                          // host:port that the engine reaches the registry by
	Scheme    string                          // for this program's own calls to the registry; default http on loopback, else https
	Retries   int                             // of a pull that broke off; default 3
	Transfer  Transfer                        // how images come to the engine; default TransferPull
	TLS       *tls.Config                     // for this program's own calls; nil trusts the machine's authorities
	Timeout   time.Duration                   // of one small call to the registry; default 30s
	Backoff   time.Duration                   // before the first retry, then doubled up to half a minute, give or take a quarter; default 500ms
	FreeSpace func(dir string) (int64, error) // bytes that are free where the engine keeps its layers; default asks the file system
	Logger    *slog.Logger                    // nil discards
}

// Transfer is how an image comes from the registry to the engine.
type Transfer string

// With TransferPull the engine itself pulls, so it must reach the registry and trust its certificate. With
// TransferLoad this program fetches the layers that the engine lacks and hands them over: the engine
// needs no setting, and nothing else of its registries counts.
const (
	TransferPull Transfer = "pull"
	TransferLoad Transfer = "load"
)

// Client moves images between one engine and one registry. It may be used by several goroutines.
type Client struct {
	cfg    Config
	docker *client.Client
	http   *http.Client // to the registry; calls are bounded one by one
	chains chains

	mu     sync.Mutex
	pulls  map[string]*pull  // by digest: concurrent pulls of one image share the transfer
	loads  loads             // layers on their way by TransferLoad
	loaded map[string]string // by reference: id in the engine of what it did not pull itself
}

// Request names an image of the registry and the right to it.
type Request struct {
	Repository string // "project/app"
	Digest     string // of the manifest; needed by Pull
	Tag        string // used by Push, and by Pull when there is no Digest
	Token      string // Keystone token; empty asks without one

	// Layers is told of each layer that the engine itself moves, by the call that begins the transfer; it must return
	// soon. It may be nil.
}

// New makes a Client; it does not connect yet. Errors: image.ErrInvalid.
func New(cfg Config) (*Client, error) {
	if cfg.Transfer != "" && cfg.Transfer != TransferPull && cfg.Transfer != TransferLoad {
		return nil, &image.Error{Op: "connect", Err: fmt.Errorf("%w: transfer %q is neither pull nor load", image.ErrInvalid, cfg.Transfer)}
	}
	if cfg.Registry == "" {
		return nil, &image.Error{Op: "connect", Err: fmt.Errorf("%w: a registry as host:port is needed", image.ErrInvalid)}
	}
	cfg = cfg.withDefaults()
	c, err := client.NewClientWithOpts(client.WithHost(cfg.Host), client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, &image.Error{Op: "connect", ID: cfg.Host, Err: fmt.Errorf("%w: %w", image.ErrInvalid, err)}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = cfg.TLS.Clone()
	return &Client{cfg: cfg, docker: c, http: &http.Client{Transport: transport}, pulls: map[string]*pull{}, loaded: map[string]string{}}, nil
}

func (cfg Config) withDefaults() Config {
	scheme := "https"
	for _, loopback := range []string{"127.", "localhost:", "[::1]:"} {
		if strings.HasPrefix(cfg.Registry, loopback) {
			scheme = "http" // as the engine does
		}
	}
	cfg.Host = cmp.Or(cfg.Host, client.DefaultDockerHost)
	cfg.Scheme = cmp.Or(cfg.Scheme, scheme)
	cfg.Retries = cmp.Or(cfg.Retries, 3)
	cfg.Backoff = cmp.Or(cfg.Backoff, 500*time.Millisecond)
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	if cfg.FreeSpace == nil {
		cfg.FreeSpace = freeSpace
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// Close gives the connections back.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return c.docker.Close()
}

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
