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

// maxTags bounds the tags set with one manifest.
const maxTags = 32

// ref reads what follows /manifests/.
func (c *call) ref() (image.Ref, error) {
	if !strings.Contains(c.arg, ":") {
		return image.ParseRef(c.repo+":"+c.arg, "")
	}
	if _, err := c.digest(); err != nil {
		return image.Ref{}, err
	}
	return image.ParseRef(c.repo+"@"+c.arg, "")
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
	tags, err := c.tagParams(ref)
	if err != nil {
		return err
	}
	if err := c.putTagged(ref, m, tags); err != nil {
		return err
	}
	head := c.w.Header()
	if contents, err := m.Contents(); err == nil && contents.Subject != nil { // the referrers API lists it
		head.Set("OCI-Subject", contents.Subject.Digest.String())
	}
	head.Set("Location", "/v2/"+c.repo+"/manifests/"+m.Digest.String())
	head.Set("Docker-Content-Digest", m.Digest.String())
	head.Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

// tagParams are the tags that a manifest put by its digest gets with it, "?tag=a&tag=b" (OCI distribution, "Pushing
// Manifests").
func (c *call) tagParams(ref image.Ref) ([]image.Ref, error) {
	tags := c.r.URL.Query()["tag"]
	if len(tags) > 0 && ref.Tag != "" || len(tags) > maxTags {
		return nil, errorf(http.StatusBadRequest, codeManifestInvalid, "at most %d parameters tag may come, with a digest", maxTags)
	}
	refs := make([]image.Ref, len(tags))
	for i, tag := range tags {
		at, err := image.ParseRef(c.repo+":"+tag, "")
		if err != nil || at.Tag != tag {
			return nil, errorf(http.StatusBadRequest, codeManifestInvalid, "the parameter tag %.150q is no tag", tag)
		}
		refs[i] = at
	}
	return refs, nil
}

// putTagged stores the manifest, then its tags one by one.
func (c *call) putTagged(ref image.Ref, m image.Manifest, tags []image.Ref) error {
	if err := c.store.PutManifest(c.r.Context(), ref, m); err != nil {
		return err
	}
	for _, at := range tags {
		if err := c.store.SetTag(c.r.Context(), at, m.Digest); err != nil {
			return err
		}
		c.w.Header().Add("OCI-Tag", at.Tag)
	}
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
