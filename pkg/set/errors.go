package set

import "errors"

// What callers of both contracts act on; test with errors.Is. They keep their identity over HTTP (see setapi).
var (
	// ErrInvalid: the request itself is wrong and will stay so; its text names the field.
	ErrInvalid = errors.New("invalid request")
	// ErrUnauthenticated: no valid credential came with the call.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrForbidden: the caller is known but may not do this.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: nothing of that id or name is visible to the caller.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the name is taken, the record changed meanwhile, or its state forbids the verb.
	ErrConflict = errors.New("conflict")
	// ErrStaleEpoch: the host knows a newer owner of this server than the caller is.
	ErrStaleEpoch = errors.New("stale lease epoch")
	// ErrNoCapacity: no host fits; the text counts which filter removed how many.
	ErrNoCapacity = errors.New("no host fits")
	// ErrUnavailable: a part needed for the answer does not answer; trying again later can help.
	ErrUnavailable = errors.New("unavailable")
)

// Error says which operation on which server failed, and why.
type Error struct {
	Op  string // what was tried: "create", "pull image"
	ID  string // server, task or container it was tried on; may be empty
	Err error  // the cause; wraps one of the sentinels where a caller can act on it
}

// Error is one sentence: operation, subject, cause.
func (e *Error) Error() string {
	if e.ID == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + " " + e.ID + ": " + e.Err.Error()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }
