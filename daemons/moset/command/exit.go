package command

import (
	"context"
	"errors"
	"strings"

	"github.com/moset/moset/pkg/set"
)

// errUsage marks errors of the command line itself.
var errUsage = errors.New("wrong usage")

// errSilent ends a command whose failure was shown already.
var errSilent = errors.New("failed")

var exitCodes = []struct {
	err  error
	code int
}{
	{errUsage, 2},
	{context.Canceled, 130},
	{set.ErrInvalid, 2},
	{set.ErrNotFound, 3},
	{set.ErrUnauthenticated, 4},
	{set.ErrForbidden, 4},
	{set.ErrConflict, 5},
	{set.ErrNoCapacity, 5},
	{set.ErrUnavailable, 6},
}

// exitCode maps an error to the documented exit code.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	for _, row := range exitCodes {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	if strings.HasPrefix(err.Error(), "unknown command") { // cobra has no type for it
		return 2
	}
	return 1
}
