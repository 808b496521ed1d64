package hostnet

import "errors"

// What callers act on; test with errors.Is.
var (
	// ErrNotFound: no port of that id is attached by this owner, or a namespace does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict: an address, MAC or name is already taken; the text says by whom.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: the request itself is wrong and will stay so; the text names the field.
	ErrInvalid = errors.New("invalid request")
	// ErrUnavailable: Open vSwitch does not answer; trying again later can help.
	ErrUnavailable = errors.New("unavailable")
	// ErrUnsupported: this machine's kernel or switch cannot do what was asked.
	ErrUnsupported = errors.New("unsupported")
	// ErrPermission: the process may not change networking; run it as root.
	ErrPermission = errors.New("permission denied")
)

// Error says which operation on which port or bridge failed, and why.
type Error struct {
	Op  string // what was tried: "attach", "open bridge"
	ID  string // port id or bridge name; may be empty
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

// fail wraps a cause, and keeps nil nil.
func fail(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, ID: id, Err: err}
}
