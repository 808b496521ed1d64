package registry

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/moset/moset/pkg/image"
)

// ref reads what follows /manifests/.
func (c *call) ref() (image.Ref, error) {
	sep := ":"
	if strings.Contains(c.arg, ":") {
		sep = "@"
	}
	return image.ParseRef(c.repo+sep+c.arg, "")
}

func (h *Handler) getManifest(c *call) error {
	ref, err := c.ref()
	if err != nil {
		return err
	}
	m, err := c.store.Manifest(c.r.Context(), ref)
	if err != nil {
		return err
	}
	head := c.w.Header()
	head.Set("Content-Type", m.MediaType)
	head.Set("Content-Length", strconv.Itoa(len(m.Body)))
	head.Set("Docker-Content-Digest", m.Digest.String())
	head.Set("Etag", strconv.Quote(m.Digest.String()))
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodGet {
		_, _ = c.w.Write(m.Body) // a client that left is no error of ours
	}
	return nil
}

func (h *Handler) putManifest(c *call) error {
	ref, err := c.ref()
	if err != nil {
		return err
	}
	m, err := c.readManifest(ref)
	if err != nil {
		return err
	}
	if err := c.store.PutManifest(c.r.Context(), ref, m); err != nil {
		return err
	}
	head := c.w.Header()
	head.Set("Location", "/v2/"+c.repo+"/manifests/"+m.Digest.String())
	head.Set("Docker-Content-Digest", m.Digest.String())
	head.Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

// readManifest reads the body; under a digest it must be what the digest says, of whatever algorithm.
func (c *call) readManifest(ref image.Ref) (image.Manifest, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, image.MaxManifest))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return image.Manifest{}, errorf(http.StatusRequestEntityTooLarge, codeManifestInvalid, "manifests of more than %d bytes are not accepted", image.MaxManifest)
	case err != nil:
		return image.Manifest{}, errorf(http.StatusBadRequest, codeManifestInvalid, "the body broke off")
	}
	mediaType, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	m, err := image.NewManifest(mediaType, body)
	if err != nil || ref.Digest == "" {
		return m, err
	}
	if got := ref.Digest.Algorithm().FromBytes(body); got != ref.Digest {
		return image.Manifest{}, errorf(http.StatusBadRequest, codeDigestInvalid, "the manifest's digest is %s, not %s", got, ref.Digest)
	}
	m.Digest = ref.Digest
	return m, nil
}

func (h *Handler) deleteManifest(c *call) error {
	ref, err := c.ref()
	if err != nil {
		return err
	}
	if ref.Digest != "" {
		err = c.store.DeleteManifest(c.r.Context(), ref)
	} else {
		err = c.store.DeleteTag(c.r.Context(), ref)
	}
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}
