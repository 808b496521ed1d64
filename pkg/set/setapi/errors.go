package setapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
)

// The one table of errors: sentinel <-> code in bodies and Faults <-> HTTP status.
var table = []struct {
	err    error
	code   string
	status int
}{
	{httpjson.ErrTooLarge, "too_large", http.StatusRequestEntityTooLarge},
	{httpjson.ErrMalformed, "invalid", http.StatusBadRequest},
	{set.ErrInvalid, "invalid", http.StatusBadRequest},
	{set.ErrUnauthenticated, "unauthenticated", http.StatusUnauthorized},
	{set.ErrForbidden, "forbidden", http.StatusForbidden},
	{set.ErrNotFound, "not_found", http.StatusNotFound},
	{set.ErrStaleEpoch, "stale_epoch", http.StatusPreconditionFailed},
	{set.ErrConflict, "conflict", http.StatusConflict},
	{set.ErrNoCapacity, "no_capacity", http.StatusConflict},
	{set.ErrUnavailable, "unavailable", http.StatusServiceUnavailable},
	{context.DeadlineExceeded, "unavailable", http.StatusServiceUnavailable},
}

// StatusOf returns the HTTP status and the code an error travels with; 500 and "internal" for unknown ones.
func StatusOf(err error) (status int, code string) {
	for _, row := range table {
		if errors.Is(err, row.err) {
			return row.status, row.code
		}
	}
	return http.StatusInternalServerError, "internal"
}

// WriteError sends err with its status and code.
func WriteError(w http.ResponseWriter, err error) {
	status, code := StatusOf(err)
	httpjson.WriteError(w, status, code, err.Error())
}

// remoteError is an error that came over the wire: the other side's sentence, and its sentinel for errors.Is.
type remoteError struct {
	message  string
	sentinel error
}

func (e *remoteError) Error() string { return e.message }
func (e *remoteError) Unwrap() error { return e.sentinel }

// ErrorOf rebuilds the error of an answer of 400 and above, so that errors.Is holds on the caller's side.
func ErrorOf(resp *http.Response) error {
	detail := httpjson.ReadError(resp)
	return &remoteError{message: detail.Message, sentinel: sentinelOf(detail.Code, resp.StatusCode)}
}

func sentinelOf(code string, status int) error {
	for _, row := range table[1:] { // an over-large body is an invalid request to its sender
		if row.code == code {
			return bySender(row.err)
		}
	}
	for _, row := range table {
		if row.status == status {
			return bySender(row.err)
		}
	}
	if status >= http.StatusInternalServerError {
		return set.ErrUnavailable
	}
	return set.ErrInvalid
}

func bySender(err error) error {
	switch err {
	case httpjson.ErrTooLarge, httpjson.ErrMalformed:
		return set.ErrInvalid
	case context.DeadlineExceeded:
		return set.ErrUnavailable
	}
	return err
}
