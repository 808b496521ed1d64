package set

import (
	"context"
	"errors"
	"time"
)

// The codes of Faults and of API error bodies, one for each sentinel.
var codes = []struct {
	err  error
	code string
}{
	{ErrInvalid, "invalid"},
	{ErrUnauthenticated, "unauthenticated"},
	{ErrForbidden, "forbidden"},
	{ErrNotFound, "not_found"},
	{ErrStaleEpoch, "stale_epoch"},
	{ErrNoCapacity, "no_capacity"},
	{ErrConflict, "conflict"},
	{ErrUnavailable, "unavailable"},
	{context.DeadlineExceeded, "unavailable"},
}

// Code returns the code of err's sentinel, "internal" when it has none.
func Code(err error) string {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return "internal"
}

// ErrorOf returns the sentinel of a code, nil when there is none.
func ErrorOf(code string) error {
	for _, c := range codes {
		if c.code == code {
			return c.err
		}
	}
	return nil
}

// NewFault keeps err for a record.
func NewFault(err error, at time.Time) *Fault {
	return &Fault{Code: Code(err), Message: err.Error(), At: at}
}
