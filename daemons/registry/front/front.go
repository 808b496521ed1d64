// Package front composes the registry daemon: the OCI handler of image/registry on Glance, with Keystone
// deciding who calls. It is where pkg/image and pkg/authn meet.
package front

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/moset/moset/internal/errkind"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/glance"
	"github.com/moset/moset/pkg/image/registry"
)

// Config says which cloud the registry stands on.
type Config struct {
	AuthURL   string         // Keystone, for the login realm
	Verifier  authn.Verifier // put authn.NewCached before Keystone
	GlanceURL string         // endpoint of Glance
	Realm     string         // URL of the token endpoint as docker login reaches it; "" derives it from each request
	TLS       *tls.Config    // for calls to Keystone and Glance; nil trusts the machine's authorities
	Replicas  registry.Replicas
	Logger    *slog.Logger // nil discards
}

// Front is the registry with its /metrics.
type Front struct {
	http.Handler
	*Metrics
	registry *registry.Handler
}

// Close ends open uploads.
func (f *Front) Close() error { return f.registry.Close() }

// Drain lets open uploads end until ctx does and takes no new ones.
func (f *Front) Drain(ctx context.Context) { f.registry.Drain(ctx) }

// New returns the handler. Close it to end open uploads.
func New(cfg Config) (*Front, error) {
	cache := new(glance.Cache)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = cfg.TLS
	transport.MaxIdleConnsPerHost = 64
	transport.DialContext = glance.Dial
	metrics := NewMetrics()
	replicas := cfg.Replicas
	if replicas.Transport == nil {
		replicas.Transport = transport
	}
	h, err := registry.New(registry.Config{
		Auth:     authenticator{cfg.Verifier},
		Issuer:   issuer{cfg.AuthURL, cfg.TLS},
		Service:  "moset",
		Realm:    cfg.Realm,
		Log:      cfg.Logger,
		Replicas: replicas,
		Observe:  metrics.observe,
		Ready:    func(ctx context.Context) error { return answers(ctx, transport, cfg.GlanceURL) },
		Stores: func(_ context.Context, id registry.Identity) (image.Store, error) {
			return glance.New(glance.Config{Endpoint: cfg.GlanceURL, Token: id.Token, ProjectID: id.ProjectID, Project: id.Project,
				Transport: transport, Cache: cache, Log: cfg.Logger})
		},
	})
	if err != nil {
		return nil, err
	}
	return &Front{Handler: metrics.serve(h), Metrics: metrics, registry: h}, nil
}

// answers asks Glance for its versions, which needs no token.
func answers(ctx context.Context, transport http.RoundTripper, glance string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, glance, nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("Glance answers %s", resp.Status)
	}
	return nil
}

var authErrors = errkind.Map{
	{From: authn.ErrInvalidToken, To: image.ErrUnauthorized},
	{From: authn.ErrUnscoped, To: image.ErrUnauthorized},
	{From: authn.ErrForbidden, To: image.ErrDenied},
	{From: authn.ErrUnavailable, To: image.ErrUnavailable},
}

// authenticator is the registry.Authenticator on a Verifier.
type authenticator struct{ verifier authn.Verifier }

// Verify implements registry.Authenticator.
func (a authenticator) Verify(ctx context.Context, token string) (registry.Identity, error) {
	id, err := a.verifier.Verify(ctx, token)
	if err != nil {
		return registry.Identity{}, authErrors.Translate(err)
	}
	return registry.Identity{Token: token, UserID: id.UserID, UserName: id.UserName, ProjectID: id.ProjectID, Project: id.ProjectName, Expires: id.ExpiresAt}, nil
}

// issuer is the registry.Issuer on Keystone: docker login with a password or an application credential.
type issuer struct {
	authURL string
	tls     *tls.Config
}

// Issue implements registry.Issuer.
func (i issuer) Issue(ctx context.Context, l registry.Login) (registry.Grant, error) {
	c := keystone.Credentials{AuthURL: i.authURL, TLS: i.tls, UserName: l.User, UserDomainName: l.Domain, Password: l.Password,
		ApplicationCredentialID: l.ApplicationCredentialID, ApplicationCredentialSecret: l.ApplicationCredentialSecret}
	grant, err := i.scoped(ctx, c, l.Project)
	if err != nil {
		return registry.Grant{}, authErrors.Translate(err)
	}
	return registry.Grant{Token: grant.Token, Expires: grant.Identity.ExpiresAt}, nil
}

// scoped tries the project as a name, then as an id.
func (i issuer) scoped(ctx context.Context, c keystone.Credentials, project string) (keystone.Grant, error) {
	if project == "" || c.ApplicationCredentialID != "" {
		return keystone.Issue(ctx, c)
	}
	byName := c
	byName.ProjectName = project
	grant, err := keystone.Issue(ctx, byName)
	if err == nil {
		return grant, nil
	}
	byID := c
	byID.ProjectID = project
	if grant, idErr := keystone.Issue(ctx, byID); idErr == nil {
		return grant, nil
	}
	return keystone.Grant{}, fmt.Errorf("project %s: %w", project, err)
}
