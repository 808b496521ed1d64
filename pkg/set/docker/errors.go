package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/moset/moset/pkg/set"
)

// badCommand is what runc says of a program that is missing or cannot be executed.
var badCommand = regexp.MustCompile(`exec: "?([^":]*)"?: (.*(not found|no such file|permission denied|exec format error|is a directory)[^:]*)`)

// translate gives an error of the Docker API one of set's sentinels and a sentence that says what to do.
func (e *Engine) translate(op, id string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &set.Error{Op: op, ID: id, Err: e.kind(err)}
}

func (e *Engine) kind(err error) error {
	text := strings.TrimPrefix(err.Error(), "Error response from daemon: ")
	if m := badCommand.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%w: its command %q cannot be run: %s", set.ErrInvalid, m[1], strings.TrimSpace(m[2]))
	}
	switch {
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%w: Docker does not answer at %s: start it, or name another one", set.ErrUnavailable, e.cfg.Host)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: Docker at %s did not answer in time", set.ErrUnavailable, e.cfg.Host)
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%w: %s", set.ErrNotFound, text)
	case errdefs.IsConflict(err):
		return fmt.Errorf("%w: %s", set.ErrConflict, text)
	case errdefs.IsInvalidArgument(err):
		return fmt.Errorf("%w: %s", set.ErrInvalid, text)
	case strings.Contains(text, "no space left on device"):
		return fmt.Errorf("%w: the host's disk is full: %s", set.ErrUnavailable, text)
	}
	return fmt.Errorf("docker: %s", text)
}
