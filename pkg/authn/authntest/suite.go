package authntest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/authn"
)

// Fixture is a Verifier with a Keystone to ask, for TestVerifier. A nil function leaves its test out only
// where the Keystone at hand cannot do it; Scoped and Revoke are needed.
type Fixture struct {
	Verifier authn.Verifier
	Project  string                         // name of the project that Scoped's tokens are for
	Scoped   func(*testing.T) string        // issues a token for Project
	Unscoped func(*testing.T) string        // issues a token without a project
	Revoke   func(t *testing.T, tok string) // makes a token invalid
	Expire   func(t *testing.T, tok string) // makes a token expired
	Down     func(*testing.T)               // makes Keystone unreachable for the rest of the test
	Barred   authn.Verifier                 // one whose own user may not ask about others
}

// TestVerifier is the contract of an authn.Verifier that asks Keystone.
func TestVerifier(t *testing.T, start func(*testing.T) Fixture) {
	tests := map[string]func(*testing.T, Fixture){
		"a valid token is its identity":    valid,
		"what is no token is invalid":      garbage,
		"no token is invalid":              empty,
		"a revoked token is invalid":       revoked,
		"an expired token is invalid":      expired,
		"an unscoped token has no project": unscoped,
		"a silent Keystone says nothing":   silent,
		"a Verifier without rights":        barred,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}

func valid(t *testing.T, f Fixture) {
	id, err := f.Verifier.Verify(t.Context(), f.Scoped(t))
	require.NoError(t, err)
	assert.Equal(t, f.Project, id.ProjectName)
	assert.NotEmpty(t, id.ProjectID)
	assert.NotEmpty(t, id.UserID)
	assert.NotEmpty(t, id.UserName)
	assert.NotEmpty(t, id.Roles)
	assert.NotEmpty(t, id.AuditID)
	assert.True(t, id.ExpiresAt.After(id.IssuedAt))
}

func garbage(t *testing.T, f Fixture) {
	for name, token := range map[string]string{"word": "garbage", "long": strings.Repeat("x", authn.MaxToken), "longer": strings.Repeat("x", authn.MaxToken+1), "zero": "\x00", "lines": "a\r\nX-Auth-Token: b", "accents": "clé"} {
		_, err := f.Verifier.Verify(t.Context(), token)
		require.ErrorIs(t, err, authn.ErrInvalidToken, name)
		assert.NotContains(t, err.Error(), token, "an error holds no token")
	}
}

func empty(t *testing.T, f Fixture) {
	_, err := f.Verifier.Verify(t.Context(), "")
	assert.ErrorIs(t, err, authn.ErrInvalidToken)
}

func revoked(t *testing.T, f Fixture) {
	token := f.Scoped(t)
	f.Revoke(t, token)
	_, err := f.Verifier.Verify(t.Context(), token)
	assert.ErrorIs(t, err, authn.ErrInvalidToken)
}

func expired(t *testing.T, f Fixture) {
	if f.Expire == nil {
		return
	}
	token := f.Scoped(t)
	f.Expire(t, token)
	_, err := f.Verifier.Verify(t.Context(), token)
	assert.ErrorIs(t, err, authn.ErrInvalidToken)
}

func unscoped(t *testing.T, f Fixture) {
	if f.Unscoped == nil {
		return
	}
	id, err := f.Verifier.Verify(t.Context(), f.Unscoped(t))
	require.NoError(t, err)
	assert.Empty(t, id.ProjectID)
	assert.Empty(t, id.Roles)
}

func silent(t *testing.T, f Fixture) {
	if f.Down == nil {
		return
	}
	token := f.Scoped(t)
	f.Down(t)
	_, err := f.Verifier.Verify(t.Context(), token)
	assert.ErrorIs(t, err, authn.ErrUnavailable)
	assert.NotErrorIs(t, err, authn.ErrInvalidToken, "nothing is known about the token")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Verifier.Verify(ctx, token)
	assert.ErrorIs(t, err, context.Canceled)
}

func barred(t *testing.T, f Fixture) {
	if f.Barred == nil {
		return
	}
	token := f.Scoped(t)
	_, err := f.Barred.Verify(t.Context(), token)
	require.ErrorIs(t, err, authn.ErrUnavailable, "a refusal of the Verifier says nothing about the token")
	assert.NotErrorIs(t, err, authn.ErrInvalidToken)
	assert.NotContains(t, err.Error(), token, "an error holds no token")
}
