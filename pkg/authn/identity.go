package authn

import (
	"context"
	"slices"
	"time"
)

// Identity is who a token stands for, as Keystone says.
type Identity struct {
	UserID, UserName, UserDomainID          string
	ProjectID, ProjectName, ProjectDomainID string // empty for an unscoped token
	DomainID                                string // of a domain-scoped token
	Roles                                   []string
	IssuedAt, ExpiresAt                     time.Time
	AuditID                                 string // Keystone's name of the token for logs
}

// HasRole reports whether one of the roles is held.
func (i *Identity) HasRole(roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(i.Roles, r) })
}

// Verifier checks tokens. Errors: ErrInvalidToken, ErrUnavailable.
type Verifier interface {
	Verify(ctx context.Context, token string) (*Identity, error)
}

// VerifierFunc is a function as a Verifier.
type VerifierFunc func(ctx context.Context, token string) (*Identity, error)

// Verify implements Verifier.
func (f VerifierFunc) Verify(ctx context.Context, token string) (*Identity, error) {
	return f(ctx, token)
}

type contextKey int

const (
	identityKey contextKey = iota
	tokenKey
)

// NewContext returns ctx with an identity and its token.
func NewContext(ctx context.Context, id *Identity, token string) context.Context {
	return context.WithValue(context.WithValue(ctx, identityKey, id), tokenKey, token)
}

// FromContext returns the identity that Middleware found.
func FromContext(ctx context.Context) (*Identity, bool) {
	id, ok := ctx.Value(identityKey).(*Identity)
	return id, ok
}

// TokenFromContext returns the caller's token, to be passed on in the caller's name.
func TokenFromContext(ctx context.Context) string {
	token, _ := ctx.Value(tokenKey).(string)
	return token
}
