package registry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/moset/moset/pkg/image"
)

// maxPage bounds the descriptors in one answer, in bytes of JSON: clients refuse what is larger than a manifest.
const maxPage = image.MaxManifest - 4<<10

// referrers lists the manifests about another one (OCI distribution, "Listing Referrers"). A manifest nobody knows has
// none, which is no error.
func (h *Handler) referrers(c *call) error {
	d, err := c.digest()
	if err != nil {
		return err
	}
	var list []v1.Descriptor
	for desc, err := range c.store.Referrers(c.r.Context(), c.repo, d) {
		if err != nil {
			return err
		}
		list = append(list, desc)
	}
	if kind := c.r.URL.Query().Get("artifactType"); kind != "" {
		list = slices.DeleteFunc(list, func(d v1.Descriptor) bool { return d.ArtifactType != kind })
		c.w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	page, err := c.referrersPage(list)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", v1.MediaTypeImageIndex)
	c.w.WriteHeader(http.StatusOK)
	_ = json.NewEncoder(c.w).Encode(page) // a client that left is no error of ours
	return nil
}

// referrersPage sorts by digest and takes what follows the parameter last as far as it fits; the rest is linked to.
func (c *call) referrersPage(list []v1.Descriptor) (v1.Index, error) {
	index := v1.Index{MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{}}
	index.SchemaVersion = 2
	slices.SortFunc(list, func(a, b v1.Descriptor) int { return cmp.Compare(a.Digest, b.Digest) })
	q := c.r.URL.Query()
	size := 0
	for _, d := range list {
		if d.Digest.String() <= q.Get("last") {
			continue
		}
		raw, err := json.Marshal(d)
		if err != nil {
			return index, fmt.Errorf("describe %s: %w", d.Digest, err)
		}
		if size += len(raw) + 1; size > maxPage && len(index.Manifests) > 0 {
			next := url.Values{"last": {index.Manifests[len(index.Manifests)-1].Digest.String()}}
			if q.Has("artifactType") {
				next.Set("artifactType", q.Get("artifactType"))
			}
			c.w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, c.r.URL.Path, next.Encode()))
			break
		}
		index.Manifests = append(index.Manifests, d)
	}
	return index, nil
}
