package glance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/moset/moset/pkg/image"
)

// statusErrors says which sentinel stands for which answer of Glance; other 4xx are the request's fault, the rest is Glance's.
var statusErrors = map[int]error{
	http.StatusUnauthorized:          image.ErrUnauthorized,
	http.StatusForbidden:             image.ErrDenied,
	http.StatusNotFound:              image.ErrNotFound,
	http.StatusGone:                  image.ErrNotFound,
	http.StatusRequestEntityTooLarge: image.ErrDenied,
	http.StatusTooManyRequests:       image.ErrUnavailable,
}

// wrap turns gophercloud's errors into image's; nil stays nil.
func wrap(op, id string, err error) error {
	if err == nil {
		return nil
	}
	var known *image.Error
	if errors.As(err, &known) {
		return err
	}
	return &image.Error{Op: op, ID: id, Err: classify(err)}
}

func classify(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var code gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &code) {
		return fmt.Errorf("%w: %w", image.ErrUnavailable, err)
	}
	if kind, ok := statusErrors[code.Actual]; ok {
		return fmt.Errorf("%w: Glance answered %d to %s", kind, code.Actual, code.Method)
	}
	if code.Actual >= 400 && code.Actual < 500 {
		return fmt.Errorf("%w: Glance answered %d to %s: %.200s", image.ErrInvalid, code.Actual, code.Method, code.Body)
	}
	return fmt.Errorf("%w: Glance answered %d to %s", image.ErrUnavailable, code.Actual, code.Method)
}

func conflict(err error) bool { return gophercloud.ResponseCodeIs(err, http.StatusConflict) }

// retryReset lets gophercloud repeat, once, a request whose connection broke before the answer and whose body can be
// sent again: servers that close idle connections do that to innocent callers.
func retryReset(_ context.Context, _, _ string, o *gophercloud.RequestOpts, err error, failures uint) error {
	if failures > 1 || !broken(err) {
		return err
	}
	if o.RawBody == nil {
		return nil
	}
	if b, ok := o.RawBody.(io.Seeker); ok {
		if _, seekErr := b.Seek(0, io.SeekStart); seekErr == nil {
			return nil
		}
	}
	return err
}

func broken(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}
