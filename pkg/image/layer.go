package image

import (
	"strings"

	"github.com/opencontainers/go-digest"
)

// Layer is one filesystem change and its place in a chain.
//
// ID is the chain id of OCI (image-spec, config.md, "Layer ChainID") in hex: what Docker calls a layer's identity and
// what its records in Glance carry as docker_id. One blob under two parents is two layers.
type Layer struct {
	ID        string        // docker_id: 64 hex digits
	Parent    string        // docker_parent: ID of the layer below, "" at the bottom
	DiffID    digest.Digest // of the uncompressed tar
	Digest    digest.Digest // of the blob as transferred
	Size      int64         // bytes as transferred
	MediaType string        // of the blob
	CreatedBy string        // the build step, from the image's history; may be empty
	Record    string        // id of the store's record; empty where the record was not asked for
}

// ChainIDs computes the layer ids, bottom first, of the diff ids an image config lists.
func ChainIDs(diffIDs []digest.Digest) []string {
	ids := make([]string, len(diffIDs))
	var chain digest.Digest
	for i, d := range diffIDs {
		if i == 0 {
			chain = d
		} else {
			chain = digest.FromString(chain.String() + " " + d.String())
		}
		ids[i] = chain.Encoded()
	}
	return ids
}

// foreign says whether the blob lives at URLs of its vendor and is not pushed (image-spec, layer.md).
func foreign(mediaType string) bool {
	return strings.Contains(mediaType, "foreign") || strings.Contains(mediaType, "nondistributable")
}
