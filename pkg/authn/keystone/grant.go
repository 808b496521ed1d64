package keystone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/moset/moset/pkg/authn"
)

// Grant is a token with who it is for.
type Grant struct {
	Token    string
	Identity authn.Identity
}

// Issue gets a token for credentials without keeping them. Errors: authn.ErrInvalidToken (wrong
// credentials, or no role on the project), authn.ErrUnavailable.
func Issue(ctx context.Context, c Credentials) (Grant, error) {
	provider, err := newProvider(c)
	if err != nil {
		return Grant{}, err
	}
	defer provider.HTTPClient.CloseIdleConnections()
	o := c.options()
	o.AllowReauth = false
	if err := openstack.Authenticate(ctx, provider, o); err != nil {
		return Grant{}, translate("issue token", c.AuthURL, err)
	}
	g, err := grantOf(provider)
	if err != nil {
		return Grant{}, &authn.Error{Op: "issue token", ID: c.AuthURL, Err: err}
	}
	return Grant{Token: provider.Token(), Identity: *g.identity()}, nil
}

// grantBody is the body of POST and GET /v3/auth/tokens.
type grantBody struct {
	Token struct {
		User    named  `json:"user"`
		Project *named `json:"project"`
		Domain  *named `json:"domain"`
		Roles   []struct {
			Name string `json:"name"`
		} `json:"roles"`
		Catalog []struct {
			Type      string `json:"type"`
			Endpoints []struct {
				Interface string `json:"interface"`
				Region    string `json:"region"`
				URL       string `json:"url"`
			} `json:"endpoints"`
		} `json:"catalog"`
		IssuedAt  time.Time `json:"issued_at"`
		ExpiresAt time.Time `json:"expires_at"`
		AuditIDs  []string  `json:"audit_ids"`
	} `json:"token"`
}

type named struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain struct {
		ID string `json:"id"`
	} `json:"domain"`
}

func (g grantBody) identity() *authn.Identity {
	t := g.Token
	id := &authn.Identity{UserID: t.User.ID, UserName: t.User.Name, UserDomainID: t.User.Domain.ID, IssuedAt: t.IssuedAt, ExpiresAt: t.ExpiresAt}
	if t.Project != nil {
		id.ProjectID, id.ProjectName, id.ProjectDomainID = t.Project.ID, t.Project.Name, t.Project.Domain.ID
	}
	if t.Domain != nil {
		id.DomainID = t.Domain.ID
	}
	for _, r := range t.Roles {
		id.Roles = append(id.Roles, r.Name)
	}
	if len(t.AuditIDs) > 0 {
		id.AuditID = t.AuditIDs[0]
	}
	return id
}

func grantOf(p *gophercloud.ProviderClient) (grantBody, error) {
	var g grantBody
	result, ok := p.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return g, fmt.Errorf("%w: it did not answer as Keystone v3 does", authn.ErrUnavailable)
	}
	return g, result.Result.ExtractInto(&g)
}

// translate gives gophercloud's errors authn's sentinels; they hold no token.
func translate(op, url string, err error) error {
	var unexpected gophercloud.ErrUnexpectedResponseCode
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &unexpected) && unexpected.Actual == http.StatusUnauthorized:
		err = refusal("Keystone refuses the login: user, password or project is wrong")
	case errors.As(err, &unexpected) && unexpected.Actual < 500:
		err = fmt.Errorf("%w: Keystone answered %d", authn.ErrInvalidToken, unexpected.Actual)
	case errors.As(err, &unexpected):
		err = fmt.Errorf("%w: it answered %d", authn.ErrUnavailable, unexpected.Actual)
	case isReauth(err):
		err = fmt.Errorf("%w: %w", authn.ErrInvalidToken, err)
	default:
		err = fmt.Errorf("%w: %w", authn.ErrUnavailable, err)
	}
	return &authn.Error{Op: op, ID: url, Err: err}
}

// refusal is a login that Keystone turned down; to callers it is authn.ErrInvalidToken.
type refusal string

func (r refusal) Error() string        { return string(r) }
func (r refusal) Is(target error) bool { return target == authn.ErrInvalidToken }

func isReauth(err error) bool {
	var unable *gophercloud.ErrUnableToReauthenticate
	var missing gophercloud.ErrMissingInput
	return errors.As(err, &unable) || errors.As(err, &missing)
}
