package registry

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

func (h *Handler) headBlob(c *call) error {
	b, err := c.stat()
	if err != nil {
		return err
	}
	c.blobHeader(b, b.Size)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (h *Handler) getBlob(c *call) error {
	b, err := c.known()
	if err != nil {
		return err
	}
	part, partial, err := parseRange(c.r.Header.Get("Range"), b.Size)
	if err != nil {
		return err
	}
	body, err := c.store.Open(c.r.Context(), c.repo, b.Digest, part)
	if err != nil {
		return err
	}
	defer body.Close()
	status, length := http.StatusOK, b.Size
	if partial {
		status, length = http.StatusPartialContent, part.Length
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.Start, part.Start+part.Length-1, b.Size))
	}
	c.blobHeader(b, length)
	c.w.WriteHeader(status)
	event := image.Event{Repo: c.repo, Digest: b.Digest, Done: part.Start, Total: b.Size}
	if n, err := io.Copy(c.w, image.Track(body, event, h.Progress)); err != nil {
		// The status is sent; net/http closes the connection because bytes are missing, which the client notices.
		h.Log.WarnContext(c.r.Context(), "a blob could not be sent whole", "digest", b.Digest, "sent", n, "error", err)
	}
	return nil
}

// deleteBlob removes a blob that no manifest of the project needs.
func (h *Handler) deleteBlob(c *call) error {
	d, err := c.digest()
	if err != nil {
		return err
	}
	if err := c.store.DeleteBlob(c.r.Context(), c.repo, d); err != nil {
		return err
	}
	c.w.Header().Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

func (c *call) stat() (image.Blob, error) {
	d, err := c.digest()
	if err != nil {
		return image.Blob{}, err
	}
	return c.store.Stat(c.r.Context(), c.repo, d)
}

// knower is a store that can tell of blobs it has seen; to open one is then to ask whether it is there.
type knower interface {
	Known(repo string, d digest.Digest) (image.Blob, bool)
}

// known is stat for a blob that is opened next.
func (c *call) known() (image.Blob, error) {
	d, err := c.digest()
	if err != nil {
		return image.Blob{}, err
	}
	if s, ok := c.store.(knower); ok {
		if b, ok := s.Known(c.repo, d); ok {
			return b, nil
		}
	}
	return c.store.Stat(c.r.Context(), c.repo, d)
}

// digest reads the last element of a path that has to be one.
func (c *call) digest() (digest.Digest, error) {
	d, err := digest.Parse(c.arg)
	if err != nil {
		return "", errorf(http.StatusBadRequest, codeDigestInvalid, "%.150q is no digest: %v", c.arg, err)
	}
	return d, nil
}

func (c *call) blobHeader(b image.Blob, length int64) {
	head := c.w.Header()
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Content-Length", strconv.FormatInt(length, 10))
	head.Set("Accept-Ranges", "bytes")
	head.Set("Docker-Content-Digest", b.Digest.String())
	head.Set("Etag", strconv.Quote(b.Digest.String()))
}
