package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/set"
)

// errUsage marks errors of the command line itself.
var errUsage = errors.New("wrong usage")

var exitCodes = []struct {
	err  error
	code int
}{
	{errAbsent, exitAbsent},
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

// errAbsent is the answer of image exists that is no error, yet not 0.
var errAbsent = errors.New("not there")

// What image exists ends with when an image is not there, and when an error without a code of its own hides whether
// it is.
const (
	exitAbsent = 1
	exitUntold = 6
)

// codedError is an error with an exit code that its kind does not tell; its text stays as it is.
type codedError struct {
	error
	code int
}

// Unwrap gives the cause to errors.Is.
func (e *codedError) Unwrap() error { return e.error }

// exitCode maps an error to the documented exit code.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	var coded *codedError
	if errors.As(err, &coded) {
		return coded.code
	}
	for _, row := range exitCodes {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	return 1
}

// usageError is any error of what was typed; its text stays as it is.
type usageError struct{ err error }

func (e *usageError) Error() string   { return e.err.Error() }
func (e *usageError) Unwrap() []error { return []error{e.err, errUsage} }

// strict makes wrong arguments of c and its subcommands usage errors, and a noun without a verb show its help.
func strict(c *cobra.Command) {
	check := c.Args
	if c.HasSubCommands() && !c.Runnable() {
		check = cobra.NoArgs
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	if check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return &usageError{fmt.Errorf("%w: %s", err, c.UseLine())}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		strict(sub)
	}
}
