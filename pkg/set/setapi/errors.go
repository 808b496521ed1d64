package setapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
)

// The one table of errors: sentinel <-> HTTP status. Their codes are set's own (set.Code, set.ErrorOf).
var table = []struct {
	err    error
	status int
}{
	{set.ErrInvalid, http.StatusBadRequest},
	{set.ErrUnauthenticated, http.StatusUnauthorized},
	{set.ErrForbidden, http.StatusForbidden},
	{set.ErrNotFound, http.StatusNotFound},
	{set.ErrStaleEpoch, http.StatusPreconditionFailed},
	{set.ErrConflict, http.StatusConflict},
	{set.ErrNoCapacity, http.StatusConflict},
	{set.ErrUnavailable, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
}

// bodyTooLarge is the code of httpjson.ErrTooLarge, which only a handler knows.
const bodyTooLarge = "too_large"

// StatusOf returns the HTTP status and the code an error travels with; 500 and "internal" for unknown ones.
func StatusOf(err error) (status int, code string) {
	switch {
	case errors.Is(err, httpjson.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, bodyTooLarge
	case errors.Is(err, httpjson.ErrMalformed):
		return http.StatusBadRequest, set.Code(set.ErrInvalid)
	}
	for _, row := range table {
		if errors.Is(err, row.err) {
			return row.status, set.Code(row.err)
		}
	}
	return http.StatusInternalServerError, set.Code(err)
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

// sentinelOf goes by the code, and by the status where there is none that is known.
func sentinelOf(code string, status int) error {
	if err := set.ErrorOf(code); err != nil {
		return err
	}
	for _, row := range table {
		if row.status == status {
			return row.err
		}
	}
	if status >= http.StatusInternalServerError || status == 0 {
		return set.ErrUnavailable
	}
	return set.ErrInvalid
}
