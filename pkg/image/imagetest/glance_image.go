package imagetest

import (
	"regexp"
	"time"
	"unicode/utf8"
)

// glanceImage is one record; its JSON form is what the data directory keeps.
type glanceImage struct {
	ID         string            `json:"id"`
	Seq        int64             `json:"seq"` // order of creation, finer than the clock
	Name       *string           `json:"name"`
	Owner      string            `json:"owner"`
	Status     string            `json:"status"`
	Visibility string            `json:"visibility"`
	Protected  bool              `json:"protected"`
	Hidden     bool              `json:"os_hidden"`
	Container  *string           `json:"container_format"`
	Disk       *string           `json:"disk_format"`
	MinDisk    int64             `json:"min_disk"`
	MinRAM     int64             `json:"min_ram"`
	Size       *int64            `json:"size"`
	Checksum   *string           `json:"checksum"`
	HashAlgo   *string           `json:"os_hash_algo"`
	HashValue  *string           `json:"os_hash_value"`
	Created    time.Time         `json:"created_at"`
	Updated    time.Time         `json:"updated_at"`
	Tags       []string          `json:"tags"`
	Props      map[string]string `json:"properties"`

	payload []byte // without a data directory
}

// readOnly are attributes that neither POST nor PATCH may set.
var readOnly = map[string]bool{
	"status": true, "size": true, "virtual_size": true, "checksum": true, "os_hash_algo": true, "os_hash_value": true,
	"created_at": true, "updated_at": true, "file": true, "schema": true, "self": true, "direct_url": true, "locations": true,
}

var visibilities = map[string]bool{"public": true, "private": true, "shared": true, "community": true}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// view is the image as clients see it.
func (i *glanceImage) view() map[string]any {
	v := map[string]any{}
	for k, p := range i.Props {
		v[k] = p
	}
	for k, a := range map[string]any{
		"id": i.ID, "name": i.Name, "owner": i.Owner, "status": i.Status, "visibility": i.Visibility,
		"protected": i.Protected, "os_hidden": i.Hidden, "container_format": i.Container, "disk_format": i.Disk,
		"min_disk": i.MinDisk, "min_ram": i.MinRAM, "size": i.Size, "virtual_size": nil, "checksum": i.Checksum,
		"os_hash_algo": i.HashAlgo, "os_hash_value": i.HashValue,
		"created_at": i.Created.Format(time.RFC3339), "updated_at": i.Updated.Format(time.RFC3339),
		"tags": i.Tags, "self": "/v2/images/" + i.ID, "file": "/v2/images/" + i.ID + "/file", "schema": "/v2/schemas/image",
	} {
		v[k] = a
	}
	return v
}

func (i *glanceImage) clone() *glanceImage {
	c := *i
	c.Tags = append([]string{}, i.Tags...)
	c.Props = make(map[string]string, len(i.Props))
	for k, v := range i.Props {
		c.Props[k] = v
	}
	return &c
}

// shows says whether GET by id finds the image for the caller.
func (i *glanceImage) shows(c Caller) bool {
	return i.Owner == c.ProjectID || c.has("admin") || i.Visibility == "public" || i.Visibility == "community"
}

// lists says whether a list contains it; community images are listed only when asked for.
func (i *glanceImage) lists(c Caller, visibility string) bool {
	if visibility == "community" {
		return i.Visibility == "community"
	}
	return i.Owner == c.ProjectID || c.has("admin") || i.Visibility == "public"
}

// mayWrite is Glance's default policy.
func (i *glanceImage) mayWrite(c Caller) error {
	if c.has("admin") || i.Owner == c.ProjectID && c.writes() {
		return nil
	}
	return faultf(403, "You are not authorized to complete this action on image %s.", i.ID)
}

// set gives an attribute or property a value from JSON, by the rules of POST and PATCH alike.
func (i *glanceImage) set(c Caller, name string, value any) error {
	switch {
	case readOnly[name]:
		return faultf(403, "Attribute '%s' is read-only.", name)
	case len(name) >= 10 && name[:10] == "os_glance_":
		return faultf(403, "Attribute '%s' is reserved.", name)
	}
	switch name {
	case "id":
		return faultf(403, "Attribute 'id' is read-only.")
	case "owner":
		if s, ok := value.(string); ok && (c.has("admin") || s == c.ProjectID) {
			i.Owner = s
			return nil
		}
		return faultf(403, "You are not permitted to set the owner.")
	case "visibility":
		return i.setVisibility(c, value)
	case "protected":
		return setBool(&i.Protected, name, value)
	case "os_hidden":
		return setBool(&i.Hidden, name, value)
	case "min_disk":
		return setInt(&i.MinDisk, name, value)
	case "min_ram":
		return setInt(&i.MinRAM, name, value)
	case "name":
		return setText(&i.Name, name, value, 255)
	case "container_format":
		return setText(&i.Container, name, value, 255)
	case "disk_format":
		return setText(&i.Disk, name, value, 255)
	case "tags":
		return i.setTags(value)
	}
	return i.setProp(name, value)
}

func (i *glanceImage) setVisibility(c Caller, value any) error {
	v, ok := value.(string)
	switch {
	case !ok || !visibilities[v]:
		return faultf(400, "Invalid visibility value: %v", value)
	case v == "public" && !c.has("admin"):
		return faultf(403, "You are not authorized to complete publicize_image action.")
	}
	i.Visibility = v
	return nil
}

func (i *glanceImage) setProp(name string, value any) error {
	s, ok := value.(string)
	switch {
	case !ok || name == "" || utf8.RuneCountInString(name) > 255 || !threeBytes(s) || !threeBytes(name):
		return faultf(400, "Provided object does not match schema 'image': property '%s' must be a string", name)
	case len(s) > 65535:
		return faultf(500, "Internal Server Error")
	}
	i.Props[name] = s
	if len(i.Props) > 128 {
		return faultf(413, "The limit has been exceeded on the number of allowed image properties.")
	}
	return nil
}

func (i *glanceImage) setTags(value any) error {
	list, ok := value.([]any)
	if !ok {
		return faultf(400, "tags must be a list")
	}
	if len(list) > 128 {
		return faultf(413, "The limit has been exceeded on the number of allowed image tags.")
	}
	i.Tags = []string{}
	for _, t := range list {
		s, ok := t.(string)
		if !ok || utf8.RuneCountInString(s) > 255 || !threeBytes(s) {
			return faultf(400, "a tag must be a string of at most 255 characters")
		}
		i.Tags = append(i.Tags, s)
	}
	return nil
}

func setBool(to *bool, name string, value any) error {
	b, ok := value.(bool)
	if !ok {
		return faultf(400, "%s must be a boolean", name)
	}
	*to = b
	return nil
}

func setInt(to *int64, name string, value any) error {
	f, ok := value.(float64)
	if !ok || f < 0 || f != float64(int64(f)) {
		return faultf(400, "%s must be a whole number", name)
	}
	*to = int64(f)
	return nil
}

func setText(to **string, name string, value any, limit int) error {
	if value == nil {
		*to = nil
		return nil
	}
	s, ok := value.(string)
	if !ok || utf8.RuneCountInString(s) > limit || !threeBytes(s) {
		return faultf(400, "%s must be a string of at most %d characters", name, limit)
	}
	*to = &s
	return nil
}

// threeBytes says whether MySQL's utf8 can hold s: four-byte characters make Glance answer 400.
func threeBytes(s string) bool {
	for _, r := range s {
		if r > 0xffff || r == utf8.RuneError {
			return false
		}
	}
	return true
}
