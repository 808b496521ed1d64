package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/set"
)

// createBatch posts a batch and follows each of its servers; an interrupt takes back what was begun.
func (a *app) createBatch(c *cobra.Command, w waitFlags, req set.BatchRequest) error {
	s, err := a.session(c.Context())
	if err != nil {
		return err
	}
	begun := time.Now()
	b, err := s.servers.CreateBatch(c.Context(), req)
	if err != nil {
		return err
	}
	if !w.none {
		if err := a.followBatch(c.Context(), s, w, &b); errors.Is(err, context.Canceled) {
			return a.takeBackBatch(s, b)
		} else if err != nil {
			return err
		}
	}
	if a.structured() {
		if err := a.emit(b); err != nil {
			return err
		}
	}
	return a.batchResult(b, w, time.Since(begun))
}

// followBatch waits for every task and says a line for each server that is done.
func (a *app) followBatch(ctx context.Context, s *session, w waitFlags, b *set.Batch) error {
	ctx, cancel := context.WithTimeoutCause(ctx, w.timeout, fmt.Errorf("%w: not all servers are done after %s; they go on: see moset server list", set.ErrUnavailable, w.timeout))
	defer cancel()
	for i := range b.Items {
		item := &b.Items[i]
		if item.Task == nil {
			continue
		}
		end, err := set.Wait(ctx, s.tasks, item.Task.ID, nil)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		item.Task = &end
		if end.State == set.TaskDone {
			fmt.Fprintf(a.errOut, "  %-24s %-7s %6.2f s\n", item.Name, end.State, end.EndedAt.Sub(end.CreatedAt).Seconds())
		}
	}
	return nil
}

// batchResult says what became of a batch; it is an error when one server was refused or failed.
func (a *app) batchResult(b set.Batch, w waitFlags, took time.Duration) error {
	var errs []error
	good := 0
	for _, i := range b.Items {
		switch {
		case i.Fault != nil:
			errs = append(errs, &faultError{i.Name, *i.Fault})
		case i.Task.Fault != nil:
			errs = append(errs, &faultError{i.Name, *i.Task.Fault})
		default:
			good++
		}
	}
	word := "done"
	if w.none {
		word = "accepted"
	}
	if !a.structured() {
		fmt.Fprintf(a.out, "create: %d of %d %s in %.2f s\n", good, len(b.Items), word, took.Seconds())
	}
	return joined(errs)
}

// faultError is what went wrong with one of many.
type faultError struct {
	name  string
	fault set.Fault
}

func (e *faultError) Error() string { return e.name + ": " + e.fault.Message }

// Unwrap gives the exit code.
func (e *faultError) Unwrap() error { return set.ErrorOf(e.fault.Code) }

// joined makes one sentence of many errors: the first, and how many more.
func joined(errs []error) error {
	var real []error
	for _, err := range errs {
		if err != nil {
			real = append(real, err)
		}
	}
	switch len(real) {
	case 0:
		return nil
	case 1:
		return real[0]
	}
	return fmt.Errorf("%w (and %d more)", real[0], len(real)-1)
}

// takeBackBatch deletes the servers of an interrupted batch, with a context of its own.
func (a *app) takeBackBatch(s *session, b set.Batch) error {
	fmt.Fprintln(a.errOut, "interrupted: deleting what was begun (interrupt again to leave it)")
	ctx, cancel := interruptible(context.Background())
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	var tasks []set.Task
	var left []string
	for _, i := range b.Items {
		if i.Task == nil {
			continue
		}
		task, err := s.servers.Delete(ctx, i.Task.ServerID, set.DeleteOptions{})
		if err == nil {
			tasks = append(tasks, task)
		} else if !errors.Is(err, set.ErrNotFound) {
			left = append(left, i.Name)
		}
	}
	for _, task := range tasks {
		if end, err := set.Wait(ctx, s.tasks, task.ID, nil); err != nil || end.Fault != nil {
			left = append(left, task.ServerName)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("interrupted, and some are left: delete them with: moset server delete %s", strings.Join(left, " "))
	}
	return context.Canceled
}
