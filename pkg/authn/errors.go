package authn

import "errors"

// What callers act on; test with errors.Is.
var (
	// ErrInvalidToken: there is no token, or it is unknown, expired or revoked. HTTP 401.
	ErrInvalidToken = errors.New("the token is not valid")
	// ErrUnscoped: the token is valid but names no project. HTTP 401.
	ErrUnscoped = errors.New("the token is not scoped to a project")
	// ErrForbidden: the identity's roles do not allow this. HTTP 403.
	ErrForbidden = errors.New("forbidden")
	// ErrUnavailable: Keystone does not answer; nothing is known about the token. HTTP 503.
	ErrUnavailable = errors.New("the identity service does not answer")
)

// Error says which step failed, and why. It never holds a token.
type Error struct {
	Op  string // "verify token", "issue token"
	ID  string // endpoint or user it was tried on; may be empty
	Err error
}

// Error is one sentence: operation, subject, cause.
func (e *Error) Error() string {
	if e.ID == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + " at " + e.ID + ": " + e.Err.Error()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }
