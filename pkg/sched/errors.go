package sched

import (
	"errors"
	"fmt"
)

// The kinds of failure; test for them with errors.Is.
var (
	// ErrInvalid is a host, set, batch or mode that makes no sense.
	ErrInvalid = errors.New("invalid")
	// ErrNoFit is a batch of which fewer than Batch.Min copies have a host.
	// errors.As to *NoFitError gives the explanation.
	ErrNoFit = errors.New("no host fits")
	// ErrConflict is a commit of which a claim was refused.
	ErrConflict = errors.New("conflict")
	// ErrPlugin is a filter or scorer that panicked, hung, is nil, is not what
	// it declares or returned a
	// score that is no number.
	ErrPlugin = errors.New("plug-in failed")
	// ErrNotFound is a host the ledger does not know.
	ErrNotFound = errors.New("not found")
)

// Error is every error of this package: what was being done, to what.
type Error struct {
	Op string // plan, commit, put host, set state of host
	ID string // the set's or host's id
	// Err is or wraps one of the kinds, or the error of a context.
	Err error
}

// Error is one sentence.
func (e *Error) Error() string {
	if e.ID == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + " " + e.ID + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// NoFitError is ErrNoFit with the figures.
type NoFitError struct {
	Wanted int // copies asked for
	Min    int // fewest copies worth having
	Placed int // copies that would have had a host
	Why    Explanation
}

// Error is the explanation in one sentence, after the figures where more than
// one copy was asked for.
func (e *NoFitError) Error() string {
	if e.Wanted <= 1 {
		return e.Why.String()
	}
	return fmt.Sprintf("only %d of %d copies have a host (at least %d wanted); for the next one %s",
		e.Placed, e.Wanted, e.Min, e.Why)
}

// Unwrap is ErrNoFit.
func (e *NoFitError) Unwrap() error { return ErrNoFit }

func invalid(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrInvalid)...)
}

// PluginError is ErrPlugin with the name.
type PluginError struct {
	Plugin  string // such as "filter mine"
	Problem string // what is wrong with it, such as "panicked: index out of range"
	Fault   Fault
}

// Fault is a kind of PluginError.
type Fault uint8

// Broken panicked, is nil, or gave a score that is no number. Lied declares
// OnHost, but its answer changed while the host did not. Hung took longer than
// Config.Budget.
const (
	Broken Fault = iota
	Lied
	Hung
)

// Error is one sentence.
func (e *PluginError) Error() string { return e.Plugin + " " + e.Problem + ": " + ErrPlugin.Error() }

// Unwrap is ErrPlugin.
func (e *PluginError) Unwrap() error { return ErrPlugin }
