package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/moset/moset/pkg/set"
)

// translate gives an error of the Docker API, or of the host's files, one of set's sentinels and a sentence
// that says what to do.
func (e *Engine) translate(op, id string, err error) error {
	var known *set.Error
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, &known) {
		return err
	}
	return &set.Error{Op: op, ID: id, Err: e.kind(err)}
}

func (e *Engine) kind(err error) error {
	text := strings.TrimPrefix(err.Error(), "Error response from daemon: ")
	switch {
	case errors.Is(err, set.ErrInvalid), errors.Is(err, set.ErrUnavailable):
		return err
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: Docker does not answer at %s: start it, or set the host's Docker address to one that runs", set.ErrUnavailable, e.cfg.Host)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: Docker at %s hung up, so the outcome is not known", set.ErrUnavailable, e.cfg.Host)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: Docker at %s did not answer in time, so the outcome is not known", set.ErrUnavailable, e.cfg.Host)
	case errors.Is(err, syscall.ENOSPC), strings.Contains(text, "no space left on device"):
		return fmt.Errorf("%w: the host's disk is full: %s", set.ErrUnavailable, text)
	case isFileError(err):
		return fmt.Errorf("%w: %w", set.ErrUnavailable, err)
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%w: %s", set.ErrNotFound, text)
	case strings.Contains(text, "non running container"): // the infra container went away meanwhile
		return fmt.Errorf("%w: %s", set.ErrUnavailable, text)
	case errdefs.IsConflict(err):
		return fmt.Errorf("%w: %s", set.ErrConflict, text)
	case errdefs.IsInvalidArgument(err):
		return fmt.Errorf("%w: %s", set.ErrInvalid, text)
	case errdefs.IsUnavailable(err), errdefs.IsCanceled(err), errdefs.IsDeadlineExceeded(err):
		return fmt.Errorf("%w: %s", set.ErrUnavailable, text)
	}
	return fmt.Errorf("docker: %w", err)
}

func isFileError(err error) bool {
	var path *fs.PathError
	var call *os.SyscallError
	var number syscall.Errno
	return errors.As(err, &path) || errors.As(err, &call) || errors.As(err, &number)
}
