package keystone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"

	"github.com/moset/moset/pkg/authn"
)

// Verifier asks Keystone about tokens, with the token of a session whose user may: role admin or service.
type Verifier struct {
	session *Session
	timeout time.Duration
}

var _ authn.Verifier = (*Verifier)(nil)

// NewVerifier makes a Verifier; timeout bounds one question, 0 means 5s. Put authn.NewCached before it.
func NewVerifier(s *Session, timeout time.Duration) *Verifier {
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	return &Verifier{session: s, timeout: timeout}
}

// Verify implements authn.Verifier: GET /v3/auth/tokens?nocatalog (Identity API v3, "Validate and show
// information for token"). HEAD would need more than the service role.
func (v *Verifier) Verify(ctx context.Context, token string) (*authn.Identity, error) {
	if !askable(token) {
		return nil, &authn.Error{Op: "verify token", Err: authn.ErrInvalidToken}
	}
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	c, err := openstack.NewIdentityV3(v.session.provider, gophercloud.EndpointOpts{})
	if err != nil {
		return nil, v.unavailable(err)
	}
	var body grantBody
	resp, err := c.Get(ctx, c.ServiceURL("auth", "tokens")+"?nocatalog", &body, &gophercloud.RequestOpts{
		MoreHeaders: map[string]string{"X-Subject-Token": token},
		OkCodes:     []int{http.StatusOK},
	})
	if resp != nil {
		defer resp.Body.Close()
	}
	if gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
		return nil, &authn.Error{Op: "verify token", Err: authn.ErrInvalidToken}
	}
	if err != nil {
		return nil, v.unavailable(err)
	}
	return body.identity(), nil
}

// askable reports whether a header can carry the token: of a longer one Keystone only resets the
// connection, and with other bytes in it the question would fail here, as if Keystone were down.
func askable(token string) bool {
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	return token != "" && len(token) <= authn.MaxToken && !strings.ContainsFunc(token, odd)
}

// unavailable says why nothing is known about a token: Keystone is down, or refuses the verifier itself.
func (v *Verifier) unavailable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var unable *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &unable) { // why no new token of its own was to be had counts
		err = unable.ErrReauth
	}
	if gophercloud.ResponseCodeIs(err, http.StatusUnauthorized) || gophercloud.ResponseCodeIs(err, http.StatusForbidden) {
		err = errors.New("it refuses this service's own credentials: its user must be enabled and needs the role service or admin")
	}
	var unexpected gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &unexpected) { // its own text is a page
		err = fmt.Errorf("it answered %d", unexpected.Actual)
	}
	return &authn.Error{Op: "verify token", ID: v.session.creds.AuthURL, Err: fmt.Errorf("%w: %w", authn.ErrUnavailable, err)}
}
