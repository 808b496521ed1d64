package glance

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/opencontainers/go-digest"

	"github.com/moset/moset/pkg/image"
)

// Properties of our records.
const (
	propKind      = "docker_kind"
	propDigest    = "docker_digest"     // of the payload; on an alias, of its blob
	propMediaType = "docker_media_type" // of a layer or manifest
	propID        = "docker_id"         // layer: chain id, hex
	propParent    = "docker_parent"     // layer: chain id below, "" at the bottom
	propDiffID    = "docker_diff_id"    // layer: digest of the uncompressed tar
	propUnclaimed = "docker_unclaimed"  // blob, layer: no manifest has given it a place yet
	propBlob      = "docker_blob"       // alias: record id of the blob
	propLayers    = "docker_layers"     // manifest: record ids of the layers, bottom first, by comma
	propConfig    = "docker_config"     // manifest, tag: digest of the config, Docker's image id
	propSize      = "docker_size"       // manifest, tag: bytes of config and layers; alias: bytes of the blob
	propCreated   = "docker_created"    // manifest, tag: when the image was built, RFC 3339
	propDepth     = "docker_depth"      // manifest, tag: number of layers
	propNeeds     = "docker_needs"      // manifest: digests of the blobs and manifests it names, by comma
	propSubject   = "docker_subject"    // manifest, link: digest of the manifest it is about
	propRepo      = "docker_repo"       // tag
	propTag       = "docker_tag"        // tag
	propManifest  = "docker_manifest"   // tag, link: digest of the manifest
	propTop       = "docker_top"        // manifest, tag: docker_id of the top layer
	propDeleted   = "docker_deleted"    // tag: when it was deleted, RFC 3339
	propMarked    = "docker_gc"         // any: when the collector found that nothing needs it, RFC 3339
	propWas       = "docker_was"        // garbage: its docker_kind before
)

// Values of docker_kind.
const (
	kindUpload   = "upload"
	kindBlob     = "blob"
	kindLayer    = "layer"
	kindConfig   = "config"
	kindManifest = "manifest"
	kindAlias    = "alias"
	kindTag      = "tag"
	kindLink     = "link"
	kindGarbage  = "garbage"
)

// record is a Glance image as far as we use it.
type record struct {
	id, owner, name, status string
	protected, hidden       bool
	size                    int64
	created, updated        time.Time
	hashAlgo, hashValue     string
	props                   map[string]string
}

func newRecord(i *images.Image) record {
	r := record{
		id: i.ID, owner: i.Owner, name: i.Name, status: string(i.Status),
		protected: i.Protected, hidden: i.Hidden, size: i.SizeBytes, created: i.CreatedAt, updated: i.UpdatedAt,
		props: make(map[string]string, len(i.Properties)),
	}
	for k, v := range i.Properties {
		if s, ok := v.(string); ok {
			r.props[k] = s
		}
	}
	r.hashAlgo, r.hashValue = r.props["os_hash_algo"], r.props["os_hash_value"]
	return r
}

func (r record) kind() string          { return r.props[propKind] }
func (r record) active() bool          { return r.status == "active" }
func (r record) digest() digest.Digest { return digest.Digest(r.props[propDigest]) }

// isBlob says whether the payload is a committed blob or manifest.
func (r record) isBlob() bool {
	switch r.kind() {
	case kindBlob, kindLayer, kindConfig, kindManifest:
		return r.active() && r.digest() != ""
	}
	return false
}

func (r record) number(prop string) int64 {
	n, _ := strconv.ParseInt(r.props[prop], 10, 64)
	return n
}

func (r record) time(prop string) time.Time {
	t, _ := time.Parse(time.RFC3339, r.props[prop])
	return t
}

func (r record) blob() image.Blob {
	return image.Blob{Digest: r.digest(), Size: r.size, Record: r.id}
}

func (r record) layer() image.Layer {
	l := image.Layer{
		ID: r.props[propID], Parent: r.props[propParent], DiffID: digest.Digest(r.props[propDiffID]),
		Digest: r.digest(), Size: r.size, MediaType: r.props[propMediaType], Record: r.id,
	}
	if r.kind() == kindAlias {
		l.Size = r.number(propSize)
	}
	return l
}

func (r record) summary() image.Summary {
	return image.Summary{
		Repo: r.props[propRepo], Tag: r.props[propTag], Digest: digest.Digest(r.props[propManifest]),
		ID: digest.Digest(r.props[propConfig]), Size: r.number(propSize), Created: r.time(propCreated),
		Layers: int(r.number(propDepth)), Record: r.id,
	}
}

func (r record) layerIDs() []string {
	return strings.FieldsFunc(r.props[propLayers], func(c rune) bool { return c == ',' })
}

// older orders records of the same content; everybody keeps the first.
func older(a, b record) int {
	return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.id, b.id))
}
