package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/moset/moset/pkg/image"
)

// Codes of the OCI distribution specification, "Error Codes".
const (
	codeBlobUnknown     = "BLOB_UNKNOWN"
	codeUploadInvalid   = "BLOB_UPLOAD_INVALID"
	codeUploadUnknown   = "BLOB_UPLOAD_UNKNOWN"
	codeDigestInvalid   = "DIGEST_INVALID"
	codeManifestBlob    = "MANIFEST_BLOB_UNKNOWN"
	codeManifestInvalid = "MANIFEST_INVALID"
	codeManifestUnknown = "MANIFEST_UNKNOWN"
	codeNameInvalid     = "NAME_INVALID"
	codeNameUnknown     = "NAME_UNKNOWN"
	codeSizeInvalid     = "SIZE_INVALID"
	codeUnauthorized    = "UNAUTHORIZED"
	codeDenied          = "DENIED"
	codeUnsupported     = "UNSUPPORTED"
	codeTooMany         = "TOOMANYREQUESTS"
	codeUnavailable     = "UNAVAILABLE"
	codeUnknown         = "UNKNOWN"
)

// apiError is an error with its place in the protocol.
type apiError struct {
	status  int
	code    string
	message string
	header  http.Header // more than the usual; may be nil
}

func (e *apiError) Error() string { return e.message }

func errorf(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// table says how the sentinels of pkg/image look in the protocol. ErrNotFound and ErrInvalid depend on what was asked.
var table = []struct {
	err    error
	status int
	code   string
}{
	{image.ErrUnauthorized, http.StatusUnauthorized, codeUnauthorized},
	{image.ErrDenied, http.StatusForbidden, codeDenied},
	{image.ErrDigestMismatch, http.StatusBadRequest, codeDigestInvalid},
	{image.ErrBlobUnknown, http.StatusNotFound, codeManifestBlob},
	{image.ErrUnavailable, http.StatusServiceUnavailable, codeUnavailable},
}

// codes are what "not found" and "invalid" mean for one kind of resource.
type codes struct{ unknown, invalid string }

func (c codes) of(err error) *apiError {
	var known *apiError
	if errors.As(err, &known) {
		return known
	}
	for _, row := range table {
		if errors.Is(err, row.err) {
			return &apiError{status: row.status, code: row.code, message: err.Error()}
		}
	}
	switch {
	case errors.Is(err, image.ErrNotFound):
		return &apiError{status: http.StatusNotFound, code: c.unknown, message: err.Error()}
	case errors.Is(err, image.ErrInvalid):
		return &apiError{status: http.StatusBadRequest, code: c.invalid, message: err.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errorf(http.StatusServiceUnavailable, codeUnavailable, "the request took too long or its client left")
	}
	return errorf(http.StatusInternalServerError, codeUnknown, "the registry failed, its log says why")
}

// fail answers with an OCI error body.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, c codes, err error) {
	e := c.of(err)
	if e.status >= http.StatusInternalServerError {
		h.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	for name, values := range e.header {
		w.Header()[name] = values
	}
	if e.status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		h.challenge(w, r, "invalid_token")
	}
	w.Header().Del("Content-Length") // of the answer that was being prepared
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": e.code, "message": e.message}}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
