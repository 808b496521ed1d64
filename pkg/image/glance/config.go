package glance

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/moset/moset/pkg/image"
)

// Config says where Glance is and as whom to speak with it.
type Config struct {
	Endpoint  string                      // of Glance, with or without /v2: "http://127.0.0.1:9292"
	Token     string                      // the caller's Keystone token
	Provider  *gophercloud.ProviderClient // instead of Token: a client that renews its own token
	ProjectID string                      // project of the token
	Project   string                      // its name: first path element of the repositories it owns
	Transport http.RoundTripper           // shared by all stores, used with Token, best with Dial; nil is http.DefaultTransport
	Cache     *Cache                      // shared by all stores of one Glance; nil is a cache of its own
	Log       *slog.Logger                // nil discards
}

// Store is an image.Store on Glance, bound to one token. It may be used by several goroutines.
type Store struct {
	client    *gophercloud.ServiceClient
	projectID string
	project   string
	cache     *Cache
	log       *slog.Logger
}

var _ image.Store = (*Store)(nil)

// New checks c and makes no request. Errors: ErrInvalid.
func New(c Config) (*Store, error) {
	if err := c.check(); err != nil {
		return nil, &image.Error{Op: "open image store", ID: c.Endpoint, Err: fmt.Errorf("%w: %w", image.ErrInvalid, err)}
	}
	provider := c.Provider
	if provider == nil {
		provider = &gophercloud.ProviderClient{
			TokenID:    c.Token,
			HTTPClient: http.Client{Transport: c.Transport},
			RetryFunc:  retryReset,
		}
	}
	base := strings.TrimSuffix(strings.TrimSuffix(c.Endpoint, "/"), "/v2") + "/"
	s := &Store{
		client:    &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: base, ResourceBase: base + "v2/", Type: "image"},
		projectID: c.ProjectID, project: c.Project, cache: c.Cache, log: c.Log,
	}
	if s.cache == nil {
		s.cache = new(Cache)
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

func (c Config) check() error {
	u, err := url.Parse(c.Endpoint)
	switch {
	case err != nil:
		return err
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("the Glance endpoint must be an http or https URL")
	case c.Token == "" && c.Provider == nil:
		return errors.New("a token or a provider client is needed")
	case c.ProjectID == "" || c.Project == "":
		return errors.New("id and name of the token's project are needed")
	}
	return nil
}

// owns says whether the caller's project owns repo.
func (s *Store) owns(repo string) bool { return image.Owns(s.projectID, s.project, repo) }

// mayWrite refuses repositories of other projects.
func (s *Store) mayWrite(op, repo string) error {
	if s.owns(repo) {
		return nil
	}
	return &image.Error{Op: op, ID: repo, Err: fmt.Errorf("%w: the token is for project %s, the repository belongs to %s", image.ErrDenied, s.project, image.ProjectOf(repo))}
}
