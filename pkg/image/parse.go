package image

import (
	"encoding/json"
	"mime"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// wire has every field of all kinds, so that a body which claims to be two of them is seen (CVE-2021-41190).
type wire struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *v1.Descriptor    `json:"config"`
	Layers        *[]v1.Descriptor  `json:"layers"`
	Manifests     *[]v1.Descriptor  `json:"manifests"`
	Subject       *v1.Descriptor    `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// ParseManifest reads a manifest of at most MaxManifest bytes. Docker schema 2 and OCI 1.x images and indexes are read
// strictly. Of any other media type it takes the descriptors it finds where those have them, and blobs; Docker
// schema 1 is refused. An empty mediaType is taken from the body. Errors: ErrInvalid.
func ParseManifest(mediaType string, body []byte) (Contents, error) {
	if len(body) > MaxManifest {
		return Contents{}, invalidManifest("it is larger than %d bytes", MaxManifest)
	}
	own, err := ownType(mediaType, body)
	if err != nil {
		return Contents{}, err
	}
	if own != "" && !isImageType(own) && !isIndexType(own) {
		return parseOther(own, body)
	}
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		return Contents{}, invalidManifest("it cannot be read: %v", err)
	}
	if w.SchemaVersion != 2 {
		return Contents{}, invalidManifest("schemaVersion is %d, only 2 is accepted", w.SchemaVersion)
	}
	kind, err := w.kind(own)
	if err != nil {
		return Contents{}, err
	}
	c := w.contents(kind)
	return c, c.check()
}

// ownType is the media type of the header or the body, which may not contradict; "" when neither says one.
func ownType(header string, body []byte) (string, error) {
	var own struct {
		MediaType any `json:"mediaType"`
	}
	if err := json.Unmarshal(body, &own); err != nil {
		return "", invalidManifest("it is no JSON object: %v", err)
	}
	said, _ := own.MediaType.(string)
	if header == "" {
		header = said
	}
	if said != "" && said != header {
		return "", invalidManifest("its media type is %.100q but was sent as %.100q", said, header)
	}
	return header, nil
}

// kind settles the media type of an image or index by what its fields show.
func (w wire) kind(own string) (string, error) {
	index := w.Manifests != nil
	if index && (w.Layers != nil || w.Config != nil) {
		return "", invalidManifest("it has both manifests and layers")
	}
	if own == "" {
		own = v1.MediaTypeImageManifest
		if index {
			own = v1.MediaTypeImageIndex
		}
	}
	if isIndexType(own) && !index {
		return "", invalidManifest("an index needs the field manifests")
	}
	if isImageType(own) && (w.Config == nil || w.Layers == nil) {
		return "", invalidManifest("an image needs the fields config and layers")
	}
	return own, nil
}

func (w wire) contents(kind string) Contents {
	c := Contents{MediaType: kind, ArtifactType: w.ArtifactType, Subject: w.Subject, Annotations: w.Annotations}
	if w.Config != nil {
		c.Config = *w.Config
	}
	if w.Layers != nil {
		c.Layers = *w.Layers
	}
	if w.Manifests != nil {
		c.Manifests = *w.Manifests
	}
	return c
}

// parseOther reads a manifest of a type we know nothing of: what does not look like a descriptor is none.
func parseOther(mediaType string, body []byte) (Contents, error) {
	if err := checkType(mediaType); err != nil {
		return Contents{}, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return Contents{}, invalidManifest("it is no JSON object")
	}
	c := Contents{MediaType: mediaType}
	_ = json.Unmarshal(fields["artifactType"], &c.ArtifactType)
	_ = json.Unmarshal(fields["annotations"], &c.Annotations)
	if list := looseDescriptors(fields["config"]); len(list) > 0 {
		c.Config = list[0]
	}
	if list := looseDescriptors(fields["subject"]); len(list) > 0 {
		c.Subject = &list[0]
	}
	c.Layers = append(looseDescriptors(fields["layers"]), looseDescriptors(fields["blobs"])...)
	c.Manifests = looseDescriptors(fields["manifests"])
	return c, c.check()
}

// looseDescriptors reads one descriptor or a list of them and leaves out what has no digest.
func looseDescriptors(raw json.RawMessage) []v1.Descriptor {
	var list, out []v1.Descriptor
	var one v1.Descriptor
	if json.Unmarshal(raw, &list) != nil {
		if json.Unmarshal(raw, &one) != nil {
			return nil
		}
		list = []v1.Descriptor{one}
	}
	for _, d := range list {
		if d.Digest != "" {
			out = append(out, d)
		}
	}
	return out
}

// checkType refuses what is no media type and the first Docker manifests, which carry their name and tag inside.
func checkType(mediaType string) error {
	parsed, params, err := mime.ParseMediaType(mediaType)
	if err != nil || parsed != mediaType || len(params) > 0 || len(mediaType) > maxMediaType {
		return invalidManifest("media type %.100q is none", mediaType)
	}
	switch mediaType {
	case "application/vnd.docker.distribution.manifest.v1+json", "application/vnd.docker.distribution.manifest.v1+prettyjws":
		return invalidManifest("Docker schema 1 is not accepted, push with a newer client")
	}
	return nil
}

func (c Contents) check() error {
	all := append([]v1.Descriptor{}, c.Layers...)
	all = append(all, c.Manifests...)
	if isImageType(c.MediaType) || c.Config.Digest != "" {
		all = append(all, c.Config)
	}
	if c.Subject != nil {
		all = append(all, *c.Subject)
	}
	for _, d := range all {
		if err := d.Digest.Validate(); err != nil {
			return invalidManifest("digest %.80q: %v", d.Digest, err)
		}
		if d.Size < 0 {
			return invalidManifest("size of %s is negative", d.Digest)
		}
	}
	return nil
}
