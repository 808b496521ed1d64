package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// startUpload answers POST: a mount when the project has the blob, a whole blob in one request, or a session.
func (h *Handler) startUpload(c *call) error {
	if c.arg != "" {
		return errorf(http.StatusMethodNotAllowed, codeUnsupported, "POST starts an upload and names none")
	}
	q := c.r.URL.Query()
	if mounted, err := h.mount(c, q); mounted || err != nil {
		return err
	}
	if h.draining.Load() {
		if h.handOver(c) {
			return nil
		}
		return errDraining
	}
	var d digest.Digest
	if q.Has("digest") {
		var err error
		if d, err = digest.Parse(q.Get("digest")); err != nil {
			return errDigest(q.Get("digest"))
		}
	}
	up, err := c.store.Create(c.r.Context(), c.repo)
	if err != nil {
		return err
	}
	s, err := h.uploads.add(c.repo, c.id.ProjectID, up)
	if err != nil {
		return errors.Join(err, up.Abort(c.r.Context()))
	}
	if d == "" {
		h.uploads.release(s)
		c.sessionHeader(s)
		c.w.WriteHeader(http.StatusAccepted)
		return nil
	}
	if err := h.receive(c, s, false); err != nil {
		return err
	}
	return h.commit(c, s, d)
}

// mount serves ?mount=digest&from=repository. Blobs belong to projects, so within one it only has to be there; from
// another project, or when it is not there, the client has to upload.
func (h *Handler) mount(c *call, q url.Values) (bool, error) {
	d, err := digest.Parse(q.Get("mount"))
	if err != nil {
		return false, nil
	}
	if from := q.Get("from"); from != "" && image.ProjectOf(from) != image.ProjectOf(c.repo) {
		return false, nil
	}
	if _, err := c.store.Stat(c.r.Context(), c.repo, d); err != nil {
		if errors.Is(err, image.ErrNotFound) {
			return false, nil
		}
		return false, err
	}
	c.created(d)
	return true, nil
}

// patchUpload answers PATCH: the next bytes, with or without Content-Range.
func (h *Handler) patchUpload(c *call) error {
	s, err := h.uploads.take(c.arg, c.repo, c.id.ProjectID)
	if err != nil {
		return err
	}
	if err := h.receiveChunk(c, s); err != nil {
		return err
	}
	h.uploads.release(s)
	c.sessionHeader(s)
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

// putUpload answers PUT: perhaps the last bytes, then the digest.
func (h *Handler) putUpload(c *call) error {
	d, err := digest.Parse(c.r.URL.Query().Get("digest"))
	if err != nil {
		return errDigest(c.r.URL.Query().Get("digest"))
	}
	s, err := h.uploads.take(c.arg, c.repo, c.id.ProjectID)
	if err != nil {
		return err
	}
	if err := h.receiveChunk(c, s); err != nil {
		return err
	}
	return h.commit(c, s, d)
}

// receiveChunk checks where the bytes belong before it takes them. On an error the session is released or gone.
func (h *Handler) receiveChunk(c *call, s *session) error {
	header := c.r.Header.Get("Content-Range")
	if header == "" {
		return h.receive(c, s, false)
	}
	start, length, err := parseContentRange(header)
	if err == nil && c.r.ContentLength >= 0 && c.r.ContentLength != length {
		err = errorf(http.StatusBadRequest, codeSizeInvalid, "Content-Range has %d bytes, the body %d", length, c.r.ContentLength)
	}
	if err == nil && start != s.size {
		err = errorf(http.StatusRequestedRangeNotSatisfiable, codeUploadInvalid, "the upload stands at byte %d, the chunk starts at %d", s.size, start)
		c.sessionHeader(s)
	}
	if err != nil {
		h.uploads.release(s)
		return err
	}
	return h.receive(c, s, true)
}

// receive streams the body into the upload. A client that names offsets may come back after a broken connection;
// of every other, the upload is ended at once.
func (h *Handler) receive(c *call, s *session, resumable bool) error {
	body := image.Track(c.r.Body, image.Event{Repo: c.repo, Done: s.size}, h.Progress)
	if h.MaxBlob > 0 {
		body = io.LimitReader(body, h.MaxBlob-s.size+1)
	}
	w := &sink{w: s.up}
	n, err := io.Copy(w, body)
	s.size += n
	switch {
	case w.err != nil:
		err = fmt.Errorf("write blob: %w", w.err)
	case err != nil && resumable:
		h.uploads.release(s)
		return errorf(http.StatusBadRequest, codeUploadInvalid, "the body broke off at byte %d", s.size)
	case err != nil:
		err = errorf(http.StatusBadRequest, codeUploadInvalid, "the body broke off at byte %d", s.size)
	case h.MaxBlob > 0 && s.size > h.MaxBlob:
		err = errorf(http.StatusRequestEntityTooLarge, codeSizeInvalid, "blobs of more than %d bytes are not accepted", h.MaxBlob)
	default:
		return nil
	}
	h.uploads.remove(s)
	h.uploads.abort(s)
	return err
}

// sink tells errors of the store from errors of the body.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.err = err
	return n, err
}

func (h *Handler) commit(c *call, s *session, d digest.Digest) error {
	h.uploads.remove(s)
	if _, err := s.up.Commit(c.r.Context(), d); err != nil {
		return err
	}
	c.created(d)
	return nil
}

func (h *Handler) uploadStatus(c *call) error {
	s, err := h.uploads.take(c.arg, c.repo, c.id.ProjectID)
	if err != nil {
		return err
	}
	c.sessionHeader(s)
	h.uploads.release(s)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Handler) cancelUpload(c *call) error {
	s, err := h.uploads.take(c.arg, c.repo, c.id.ProjectID)
	if err != nil {
		return err
	}
	h.uploads.remove(s)
	if err := s.up.Abort(c.r.Context()); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) sessionHeader(s *session) {
	head := c.w.Header()
	head.Set("Location", "/v2/"+s.repo+"/blobs/uploads/"+s.id)
	head.Set("Docker-Upload-Uuid", s.id)
	head.Set("Range", "0-"+strconv.FormatInt(max(s.size-1, 0), 10))
	head.Set("Content-Length", "0")
}

func (c *call) created(d digest.Digest) {
	head := c.w.Header()
	head.Set("Location", "/v2/"+c.repo+"/blobs/"+d.String())
	head.Set("Docker-Content-Digest", d.String())
	head.Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusCreated)
}

func errDigest(s string) *apiError {
	return errorf(http.StatusBadRequest, codeDigestInvalid, "the parameter digest is needed and %.100q is none", s)
}
