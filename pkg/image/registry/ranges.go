package registry

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/moset/moset/pkg/image"
)

// parseRange reads a Range header of one part (RFC 9110, 14.2) for a blob of size bytes. ok is false when the header
// asks for nothing we serve in parts, so that the whole is to be sent; an error means 416. RFC 9110 would send the
// whole for a range that ends before it starts, the conformance suite wants 416.
func parseRange(header string, size int64) (r image.Range, ok bool, err error) {
	spec, found := strings.CutPrefix(header, "bytes=")
	if !found || strings.Contains(spec, ",") {
		return image.Range{}, false, nil
	}
	first, last, found := strings.Cut(spec, "-")
	if !found {
		return image.Range{}, false, nil
	}
	if first == "" {
		return suffixRange(last, size)
	}
	start, err := parseOffset(first)
	if err != nil {
		return image.Range{}, false, nil
	}
	end := size - 1
	if last != "" {
		if end, err = parseOffset(last); err != nil {
			return image.Range{}, false, nil
		}
	}
	if start >= size || end < start {
		return image.Range{}, false, errRange(size)
	}
	return image.Range{Start: start, Length: min(end, size-1) - start + 1}, true, nil
}

func suffixRange(last string, size int64) (image.Range, bool, error) {
	n, err := parseOffset(last)
	if err != nil {
		return image.Range{}, false, nil
	}
	if n == 0 || size == 0 {
		return image.Range{}, false, errRange(size)
	}
	n = min(n, size)
	return image.Range{Start: size - n, Length: n}, true, nil
}

// parseContentRange reads the Content-Range of a chunk, "start-end" in bytes, both ends included (OCI distribution,
// "Pushing a blob in chunks"; some clients write "bytes start-end/*").
func parseContentRange(header string) (start, length int64, err error) {
	spec := strings.TrimPrefix(header, "bytes ")
	spec, _, _ = strings.Cut(spec, "/")
	first, last, found := strings.Cut(spec, "-")
	if found {
		var end int64
		if start, err = parseOffset(first); err == nil {
			end, err = parseOffset(last)
		}
		if err == nil && end >= start && end < 1<<62 {
			return start, end - start + 1, nil
		}
	}
	return 0, 0, errorf(http.StatusBadRequest, codeUploadInvalid, "Content-Range must be start-end, not %.60q", header)
}

// parseOffset takes digits only: no sign, no space.
func parseOffset(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}

func errRange(size int64) *apiError {
	e := errorf(http.StatusRequestedRangeNotSatisfiable, codeSizeInvalid, "the range lies outside the blob of %d bytes", size)
	e.header = http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", size)}}
	return e
}
