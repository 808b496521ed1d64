// Package httpjson reads and writes JSON bodies and error bodies the one way every moset API does.
//
// An error body is {"error":{"code":"not_found","message":"one sentence"}}.
package httpjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrTooLarge and ErrMalformed say why a body could not be read.
var (
	ErrTooLarge  = errors.New("body too large")
	ErrMalformed = errors.New("malformed body")
)

// ErrorBody is the body of every answer with a status of 400 and above.
type ErrorBody struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail is a code for programs and a sentence for people.
type ErrorDetail struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id,omitempty"`
}

// Read decodes one JSON value of at most limit bytes into v. Unknown fields and trailing data are errors.
func Read(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fmt.Errorf("%w: at most %d bytes are accepted", ErrTooLarge, limit)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: a JSON object is needed", ErrMalformed)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	case d.More():
		return fmt.Errorf("%w: data follows the JSON object", ErrMalformed)
	}
	return nil
}

// Write sends v with the status. A client that went away is not an error.
func Write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// WriteError sends an error body; the request id is the one of the answer's X-Openstack-Request-Id header, if set.
func WriteError(w http.ResponseWriter, status int, code, message string) {
	Write(w, status, ErrorBody{ErrorDetail{Code: code, Message: message, RequestID: w.Header().Get("X-Openstack-Request-Id")}})
}

// ReadError takes the error body out of an answer; without one, the status text stands in.
func ReadError(resp *http.Response) ErrorDetail {
	var body ErrorBody
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if json.Unmarshal(b, &body) != nil || body.Error.Code == "" {
		return ErrorDetail{Message: "the server answered " + resp.Status}
	}
	return body.Error
}
