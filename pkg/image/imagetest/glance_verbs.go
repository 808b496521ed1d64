package imagetest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxJSON bounds request bodies: 128 properties of 64 KiB.
const maxJSON = 10 << 20

func (g *Glance) create(c Caller, r *http.Request) (answer, error) {
	if !c.writes() {
		return answer{}, faultf(403, "You are not authorized to complete add_image action.")
	}
	var body map[string]any
	if err := readJSON(r, &body); err != nil {
		return answer{}, err
	}
	now := time.Now().UTC().Truncate(time.Second)
	i := &glanceImage{
		Owner: c.ProjectID, Status: "queued", Visibility: "shared", Created: now, Updated: now, Tags: []string{}, Props: map[string]string{},
	}
	var err error
	if i.ID, err = takeID(body); err != nil {
		return answer{}, err
	}
	for name, value := range body {
		if name == "os_hash_value" { // accepted and ignored
			continue
		}
		if err := i.set(c, name, value); err != nil {
			return answer{}, err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.records[i.ID] != nil || g.used[i.ID] {
		return answer{}, faultf(409, "Image ID %s already exists!", i.ID)
	}
	i.Seq = g.nextSeq()
	if err := g.keep(i); err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, i.view()}, nil
}

// takeID removes the id from the body, or makes one.
func takeID(body map[string]any) (string, error) {
	v, given := body["id"]
	delete(body, "id")
	if !given {
		var b [16]byte
		_, _ = rand.Read(b[:])
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
	}
	id, ok := v.(string)
	if !ok || !uuidForm.MatchString(id) {
		return "", faultf(400, "Invalid image id: it must be a UUID")
	}
	return strings.ToLower(id), nil
}

func (g *Glance) show(c Caller, r *http.Request) (answer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i, err := g.visible(c, r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, i.view()}, nil
}

func (g *Glance) delete(c Caller, r *http.Request) (answer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i, err := g.writable(c, r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	if i.Protected {
		return answer{}, faultf(403, "Image %s is protected and cannot be deleted.", i.ID)
	}
	if err := g.drop(i); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// visible finds a record the caller may see; g.mu is held.
func (g *Glance) visible(c Caller, id string) (*glanceImage, error) {
	i := g.records[strings.ToLower(id)]
	if i == nil || !i.shows(c) {
		return nil, faultf(404, "No image found with ID %s", id)
	}
	return i, nil
}

// writable finds a record the caller may change; g.mu is held.
func (g *Glance) writable(c Caller, id string) (*glanceImage, error) {
	i, err := g.visible(c, id)
	if err != nil {
		return nil, err
	}
	return i, i.mayWrite(c)
}

func (g *Glance) patch(c Caller, r *http.Request) (answer, error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/openstack-images-v2.") {
		return answer{}, faultf(415, "Unsupported Content-Type, use application/openstack-images-v2.1-json-patch")
	}
	var ops []patchOp
	if err := readJSON(r, &ops); err != nil {
		return answer{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	old, err := g.writable(c, r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	i := old.clone()
	for _, op := range ops {
		if err := op.apply(c, i); err != nil {
			return answer{}, err
		}
	}
	i.Updated = time.Now().UTC().Truncate(time.Second)
	if err := g.keep(i); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, i.view()}, nil
}

type patchOp struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

func (op patchOp) apply(c Caller, i *glanceImage) error {
	if !strings.HasPrefix(op.Path, "/") || strings.Count(op.Path, "/") != 1 {
		return faultf(400, "Invalid JSON pointer for this resource: '%s'", op.Path)
	}
	name := strings.NewReplacer("~1", "/", "~0", "~").Replace(op.Path[1:])
	_, isProp := i.Props[name]
	_, isAttr := i.view()[name]
	switch op.Op {
	case "add":
		return i.set(c, name, op.Value)
	case "replace":
		if !isProp && !isAttr {
			return faultf(409, "Property %s does not exist.", name)
		}
		return i.set(c, name, op.Value)
	case "remove":
		if !isProp && isAttr {
			return faultf(403, "Property %s may not be removed.", name)
		}
		if !isProp {
			return faultf(409, "Property %s does not exist.", name)
		}
		delete(i.Props, name)
		return nil
	}
	return faultf(400, "Operation %q is not supported, use add, replace or remove", op.Op)
}

func readJSON(r *http.Request, v any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxJSON+1))
	if err != nil || len(raw) > maxJSON {
		return faultf(413, "The request body is too large or broken")
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return faultf(400, "The request body is no valid JSON: %v", err)
	}
	return nil
}

func (g *Glance) versions(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	var list []map[string]any
	for n := 15; n >= 0; n-- {
		status := "SUPPORTED"
		if n == 15 {
			status = "CURRENT"
		}
		list = append(list, map[string]any{
			"id": fmt.Sprintf("v2.%d", n), "status": status,
			"links": []map[string]string{{"rel": "self", "href": scheme + "://" + r.Host + "/v2/"}},
		})
	}
	status := http.StatusOK
	if r.URL.Path == "/" {
		status = http.StatusMultipleChoices
	}
	writeJSON(w, status, map[string]any{"versions": list})
}

func (g *Glance) schema(w http.ResponseWriter, _ *http.Request) {
	props := map[string]any{}
	for name := range (&glanceImage{}).view() {
		props[name] = map[string]any{}
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"name": "image", "properties": props, "additionalProperties": map[string]string{"type": "string"},
		"links": []map[string]string{{"rel": "self", "href": "{self}"}, {"rel": "enclosure", "href": "{file}"}, {"rel": "describedby", "href": "{schema}"}},
	})
}
