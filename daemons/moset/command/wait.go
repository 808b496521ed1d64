package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/set"
)

// waitFlags say whether and how long a command follows the task it started.
type waitFlags struct {
	none    bool
	timeout time.Duration
}

func (w *waitFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&w.none, "no-wait", false, "return once the request is accepted")
	c.Flags().DurationVar(&w.timeout, "timeout", 10*time.Minute, "give up waiting after this time; the task goes on")
}

// mutate starts a task and follows it to its end.
func (a *app) mutate(c *cobra.Command, w waitFlags, start func(context.Context, *session) (set.Task, error)) error {
	s, err := a.session(c.Context())
	if err != nil {
		return err
	}
	task, err := start(c.Context(), s)
	if err != nil {
		return err
	}
	return a.follow(c.Context(), s, w, task)
}

// follow shows a task until it ends and prints the outcome.
func (a *app) follow(ctx context.Context, s *session, w waitFlags, task set.Task) error {
	if w.none || task.State.Final() {
		return a.taskResult(task)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, w.timeout, fmt.Errorf("%w: %s of %s is not done after %s; follow it with: moset task wait %s", set.ErrUnavailable, task.Verb, task.Subject(), w.timeout, task.ID))
	defer cancel()
	p := newProgress(a.errOut)
	end, err := set.Wait(ctx, s.tasks, task.ID, p.show)
	p.close()
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return a.taskResult(end)
}

// taskResult prints a task's outcome; a failed one is an error with the Fault's sentence.
func (a *app) taskResult(t set.Task) error {
	if a.structured() {
		if err := a.emit(t); err != nil {
			return err
		}
	}
	switch {
	case t.State == set.TaskFailed && t.Fault != nil:
		return &taskError{t}
	case t.State == set.TaskFailed:
		return errors.New("the task failed without a reason")
	case a.structured():
	case t.State == set.TaskDone:
		fmt.Fprintf(a.out, "%s %s: done in %.2f s\n", t.Verb, t.Subject(), t.EndedAt.Sub(t.CreatedAt).Seconds())
	default:
		fmt.Fprintf(a.out, "%s %s: accepted as task %s\n", t.Verb, t.Subject(), t.ID)
	}
	return nil
}

// taskError is a failed task as an error.
type taskError struct{ task set.Task }

func (e *taskError) Error() string {
	return fmt.Sprintf("%s %s failed: %s", e.task.Verb, e.task.Subject(), e.task.Fault.Message)
}

// Unwrap gives the exit code of what made the task fail.
func (e *taskError) Unwrap() error { return set.ErrorOf(e.task.Fault.Code) }
