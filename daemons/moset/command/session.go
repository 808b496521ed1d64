package command

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/moset/moset/internal/errkind"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
)

// session is an authenticated caller with the clients it needs.
type session struct {
	cloud     *keystone.Session
	project   string // name
	servers   *setapi.ControllerClient
	tasks     set.TaskReader
	region    regionClient
	tls       *tls.Config // of OS_CACERT
	transport http.RoundTripper
	app       *app
}

var authErrors = errkind.Map{
	{From: authn.ErrInvalidToken, To: set.ErrUnauthenticated},
	{From: authn.ErrUnscoped, To: set.ErrUnauthenticated},
	{From: authn.ErrUnavailable, To: set.ErrUnavailable},
}

// session authenticates once for a command.
func (a *app) session(ctx context.Context) (*session, error) {
	if a.current != nil {
		return a.current, nil
	}
	creds, err := keystone.FromEnv(a.cloud)
	if err != nil {
		return nil, &usageError{err}
	}
	cloud, err := keystone.Connect(ctx, creds)
	if err != nil {
		return nil, authErrors.Translate(err)
	}
	id := cloud.Identity()
	if id.ProjectID == "" {
		return nil, fmt.Errorf("%w: the credentials name no project: set OS_PROJECT_NAME", set.ErrUnauthenticated)
	}
	if a.regionURL == "" {
		if a.regionURL, err = cloud.Endpoint("container-set"); err != nil {
			return nil, fmt.Errorf("%w: %w: register the region there or give --region-url", set.ErrNotFound, err)
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = creds.TLS
	httpClient := &http.Client{Transport: &authn.Transport{Source: cloud, Base: transport}}
	servers := setapi.NewControllerClient(setapi.ClientConfig{URL: a.regionURL, HTTP: httpClient})
	a.current = &session{cloud: cloud, project: id.ProjectName, servers: servers, tasks: servers, app: a,
		tls: creds.TLS, transport: transport,
		region: regionClient{url: strings.TrimRight(a.regionURL, "/"), http: httpClient}}
	return a.current, nil
}

// images is the caller's image store: Glance itself.
func (s *session) images(ctx context.Context) (image.Store, error) {
	endpoint, err := s.cloud.Endpoint("image")
	if err != nil {
		return nil, err
	}
	token, err := s.cloud.Token(ctx)
	if err != nil {
		return nil, err
	}
	id := s.cloud.Identity()
	return glance.New(glance.Config{Endpoint: endpoint, Token: token, Transport: s.transport, ProjectID: id.ProjectID, Project: id.ProjectName})
}

// registry is the host:port that images are pushed to, and the scheme if it is known.
func (s *session) registry() (address, scheme string, err error) {
	if s.app.registry != "" {
		scheme, address, ok := strings.Cut(s.app.registry, "://")
		if !ok {
			return s.app.registry, "", nil
		}
		return address, scheme, nil
	}
	endpoint, err := s.cloud.Endpoint("container-registry")
	if err != nil {
		return "", "", fmt.Errorf("%w: %w: register the registry there or give --registry", set.ErrNotFound, err)
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", "", err
	}
	return u.Host, u.Scheme, nil
}
