package keystone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"

	"github.com/moset/moset/pkg/authn"
)

// Session holds a valid token for some credentials and renews it. It is an authn.TokenSource and
// authn.Refresher, safe for use by several goroutines.
type Session struct {
	creds    Credentials
	provider *gophercloud.ProviderClient

	mu    sync.Mutex
	token grantBody
}

var (
	_ authn.TokenSource = (*Session)(nil)
	_ authn.Refresher   = (*Session)(nil)
)

// renewBefore is how long before its end a token is replaced.
const renewBefore = time.Minute

// Connect authenticates. Errors: authn.ErrInvalidToken (wrong credentials), authn.ErrUnavailable.
func Connect(ctx context.Context, c Credentials) (*Session, error) {
	provider, err := newProvider(c)
	if err != nil {
		return nil, err
	}
	if err := openstack.Authenticate(ctx, provider, c.options()); err != nil {
		return nil, translate("issue token", c.AuthURL, err)
	}
	s := &Session{creds: c, provider: provider}
	return s, s.note()
}

func newProvider(c Credentials) (*gophercloud.ProviderClient, error) {
	provider, err := openstack.NewClient(c.AuthURL)
	if err != nil {
		return nil, &authn.Error{Op: "connect", ID: c.AuthURL, Err: err}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	if c.TLS != nil {
		transport.TLSClientConfig = c.TLS
	}
	provider.HTTPClient = http.Client{Transport: transport}
	provider.RetryFunc = retryReset
	return provider, nil
}

// retryReset tries again when an idle connection was closed under the request, as uwsgi does now and then.
func retryReset(_ context.Context, _, _ string, o *gophercloud.RequestOpts, err error, failed uint) error {
	rawBody := o != nil && o.RawBody != nil // a stream is gone once it was sent
	if errors.Is(err, syscall.ECONNRESET) && failed <= 2 && !rawBody {
		return nil
	}
	return err
}

// note reads the token that the provider holds now.
func (s *Session) note() error {
	g, err := grantOf(s.provider)
	if err != nil {
		return &authn.Error{Op: "issue token", ID: s.creds.AuthURL, Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = g
	return nil
}

// Token implements authn.TokenSource.
func (s *Session) Token(ctx context.Context) (string, error) {
	s.mu.Lock()
	expires := s.token.Token.ExpiresAt
	s.mu.Unlock()
	token := s.provider.Token()
	if time.Until(expires) > renewBefore || s.creds.Token != "" {
		return token, nil
	}
	return s.Refresh(ctx, token)
}

// Refresh implements authn.Refresher.
func (s *Session) Refresh(ctx context.Context, refused string) (string, error) {
	if s.creds.Token != "" {
		return "", &authn.Error{Op: "renew token", ID: s.creds.AuthURL, Err: fmt.Errorf("%w: it was given as such and cannot be renewed", authn.ErrInvalidToken)}
	}
	if err := s.provider.Reauthenticate(ctx, refused); err != nil {
		return "", translate("renew token", s.creds.AuthURL, err)
	}
	return s.provider.Token(), s.note()
}

// Provider is the gophercloud client that renews the session's token by itself.
func (s *Session) Provider() *gophercloud.ProviderClient { return s.provider }

// Identity is who the session is.
func (s *Session) Identity() authn.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.token.identity()
}

// AuthURL is Keystone's address as the credentials name it.
func (s *Session) AuthURL() string { return s.creds.AuthURL }

// Endpoint returns the URL of a service from the catalog, by its type: "image", "container-set".
func (s *Session) Endpoint(serviceType string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := s.creds.Interface
	if want == "" {
		want = "public"
	}
	for _, service := range s.token.Token.Catalog {
		if service.Type != serviceType {
			continue
		}
		for _, e := range service.Endpoints {
			if e.Interface == want && (s.creds.Region == "" || e.Region == s.creds.Region) {
				return e.URL, nil
			}
		}
	}
	return "", fmt.Errorf("the catalog of %s has no %s endpoint of type %q", s.creds.AuthURL, want, serviceType)
}
