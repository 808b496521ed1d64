package image

import "errors"

// What callers act on; test with errors.Is. The registry turns them into OCI error codes.
var (
	// ErrNotFound: no such tag, manifest, blob or repository is visible to the caller.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the name, manifest, config or request is wrong and will stay so; its text says where.
	ErrInvalid = errors.New("invalid")
	// ErrDigestMismatch: the bytes are not those their digest names.
	ErrDigestMismatch = errors.New("digest does not match the content")
	// ErrBlobUnknown: a manifest names a blob that was not uploaded to its project.
	ErrBlobUnknown = errors.New("blob unknown to the project")
	// ErrUnauthorized: no valid token came with the call.
	ErrUnauthorized = errors.New("not authenticated")
	// ErrDenied: the caller is known but may not do this.
	ErrDenied = errors.New("denied")
	// ErrUnavailable: the store does not answer; trying again later can help.
	ErrUnavailable = errors.New("image store unavailable")
)

// Error says which operation on which image, blob or record failed, and why.
type Error struct {
	Op  string // what was tried: "put manifest", "read blob"
	ID  string // reference, digest or record it was tried on; may be empty
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
