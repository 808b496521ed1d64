package glance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/moset/moset/pkg/image"
)

// statusErrors says which sentinel stands for which answer of Glance; other 4xx are the request's fault, the rest is
// Glance's. A conflict that nobody expected is that of two requests at once, so trying again helps.
var statusErrors = map[int]error{
	http.StatusUnauthorized:          image.ErrUnauthorized,
	http.StatusForbidden:             image.ErrDenied,
	http.StatusNotFound:              image.ErrNotFound,
	http.StatusGone:                  image.ErrUnavailable, // deleted under a write
	http.StatusConflict:              image.ErrUnavailable,
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
	if code.Actual == http.StatusGone && code.Method == http.MethodGet {
		code.Actual = http.StatusNotFound
	}
	if kind, ok := statusErrors[code.Actual]; ok {
		return fmt.Errorf("%w: Glance answered %d to %s", kind, code.Actual, code.Method)
	}
	if code.Actual >= 400 && code.Actual < 500 {
		return fmt.Errorf("%w: Glance answered %d to %s: %.200s", image.ErrInvalid, code.Actual, code.Method, plain(code.Body))
	}
	return fmt.Errorf("%w: Glance answered %d to %s", image.ErrUnavailable, code.Actual, code.Method)
}

// htmlTag is what Glance wraps its sentences in.
var htmlTag = regexp.MustCompile(`(?s)<head>.*</head>|<[^>]*>`)

// plain is a page of Glance's as one line of text.
func plain(page []byte) string {
	return strings.Join(strings.Fields(htmlTag.ReplaceAllString(string(page), " ")), " ")
}

// astray makes "not found" of a request that names no record an outage: something else answers at Glance's address.
func astray(err error) error {
	if gophercloud.ResponseCodeIs(err, http.StatusNotFound) || gophercloud.ResponseCodeIs(err, http.StatusGone) {
		return errors.New("there is no Glance at its endpoint: check the URL in the catalog")
	}
	return err
}

// maybeDone says whether a write that failed may have been done all the same: its answer was lost, or Glance broke
// after it.
func maybeDone(err error) bool {
	var code gophercloud.ErrUnexpectedResponseCode
	return err != nil && (!errors.As(err, &code) || code.Actual >= http.StatusInternalServerError)
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
