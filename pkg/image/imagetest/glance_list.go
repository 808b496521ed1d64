package imagetest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// notFilters are list parameters that do not select by a property.
var notFilters = map[string]bool{"limit": true, "marker": true, "sort": true, "sort_key": true, "sort_dir": true, "visibility": true, "member_status": true, "os_hidden": true, "tag": true}

// operable are the filters whose values may start with an operator and a colon; what else has a colon there is refused.
var operable = map[string]bool{"name": true, "id": true, "status": true, "container_format": true, "disk_format": true}

// times are the filters on a time, which may start with one of the operators.
var (
	times         = map[string]func(*glanceImage) time.Time{"created_at": func(i *glanceImage) time.Time { return i.Created }, "updated_at": func(i *glanceImage) time.Time { return i.Updated }}
	timeOperators = map[string]func(order int) bool{
		"eq": func(o int) bool { return o == 0 }, "neq": func(o int) bool { return o != 0 },
		"gt": func(o int) bool { return o > 0 }, "gte": func(o int) bool { return o >= 0 },
		"lt": func(o int) bool { return o < 0 }, "lte": func(o int) bool { return o <= 0 },
	}
)

// timeFilter takes a filter on a time apart: an operator, "eq" when there is none, and the time.
func timeFilter(value string) (func(order int) bool, time.Time, error) {
	op, text, _ := strings.Cut(value, ":")
	f, ok := timeOperators[op]
	if !ok {
		f, text = timeOperators["eq"], value
	}
	at, err := time.Parse(time.RFC3339, text)
	return f, at, err
}

func (g *Glance) list(c Caller, r *http.Request) (answer, error) {
	q := r.URL.Query()
	limit, err := limitOf(q)
	if err != nil {
		return answer{}, err
	}
	less, err := orderOf(q)
	if err != nil {
		return answer{}, err
	}
	if err := checkFilters(q); err != nil {
		return answer{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []*glanceImage
	for _, i := range g.records {
		if i.selected(c, q) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, less)
	if found, err = g.afterMarker(c, found, q.Get("marker")); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, page(found, limit, q)}, nil
}

func page(found []*glanceImage, limit int, q url.Values) map[string]any {
	found = found[:min(limit, len(found))]
	views := make([]any, len(found))
	for n, i := range found {
		views[n] = i.view()
	}
	q.Del("marker")
	body := map[string]any{"images": views, "schema": "/v2/schemas/images", "first": "/v2/images?" + q.Encode()}
	if limit > 0 && len(found) == limit { // Glance looks no further either
		q.Set("marker", found[len(found)-1].ID)
		body["next"] = "/v2/images?" + q.Encode()
	}
	return body
}

// limitOf caps at 1000 without a word, as Glance does.
func limitOf(q url.Values) (int, error) {
	if !q.Has("limit") {
		return 25, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 0 {
		return 0, faultf(400, "limit param must be a positive integer")
	}
	return min(n, 1000), nil
}

func (g *Glance) afterMarker(c Caller, found []*glanceImage, marker string) ([]*glanceImage, error) {
	if marker == "" {
		return found, nil
	}
	if _, err := g.visible(c, marker); err != nil {
		return nil, faultf(400, "Invalid marker. Image %s could not be found.", marker)
	}
	at := slices.IndexFunc(found, func(i *glanceImage) bool { return i.ID == marker })
	return found[at+1:], nil
}

// checkFilters refuses filters that no record could answer.
func checkFilters(q url.Values) error {
	for name, values := range q {
		op, _, found := strings.Cut(values[0], ":")
		if operable[name] && found && op != "in" && op != "eq" {
			return faultf(400, "Unable to filter by unknown operator '%s'.", op)
		}
		if _, _, err := timeFilter(values[0]); times[name] != nil && err != nil {
			return faultf(400, "Bad %s query filter: %s", name, values[0])
		}
		if name == "size_min" || name == "size_max" {
			if _, err := strconv.ParseInt(values[0], 10, 64); err != nil {
				return faultf(400, "%s must be a number", name)
			}
		}
	}
	if v := q.Get("visibility"); v != "" && !visibilities[v] && v != "all" {
		return faultf(400, "Invalid visibility value: %s", v)
	}
	if h := strings.ToLower(q.Get("os_hidden")); h != "" && h != "true" && h != "false" {
		return faultf(400, "Invalid value '%s' for 'os_hidden' filter. Valid values are 'true' or 'false'.", h)
	}
	return nil
}

// selected applies every filter to one record.
func (i *glanceImage) selected(c Caller, q url.Values) bool {
	hidden := strings.EqualFold(q.Get("os_hidden"), "true")
	if i.Hidden != hidden || !i.lists(c, q.Get("visibility")) {
		return false
	}
	if v := q.Get("visibility"); v != "" && v != "all" && v != i.Visibility {
		return false
	}
	for _, tag := range q["tag"] {
		if !slices.Contains(i.Tags, tag) {
			return false
		}
	}
	for name, values := range q {
		if !notFilters[name] && !i.matches(name, values[0]) {
			return false
		}
	}
	return true
}

// matches compares one attribute or property; the filter was checked.
func (i *glanceImage) matches(name, want string) bool {
	switch name {
	case "size_min", "size_max":
		n, _ := strconv.ParseInt(want, 10, 64)
		return i.Size != nil && (name == "size_min" && *i.Size >= n || name == "size_max" && *i.Size <= n)
	case "protected":
		return strings.EqualFold(want, strconv.FormatBool(i.Protected))
	}
	if at := times[name]; at != nil {
		holds, limit, _ := timeFilter(want)
		return holds(at(i).Compare(limit))
	}
	have := i.text(name)
	op, rest, found := strings.Cut(want, ":")
	if !operable[name] || !found {
		return have == want
	}
	if op == "in" {
		return slices.Contains(strings.Split(rest, ","), have)
	}
	return have == rest
}

// text is an attribute or property as a filter compares it.
func (i *glanceImage) text(name string) string {
	for attr, p := range map[string]*string{"name": i.Name, "container_format": i.Container, "disk_format": i.Disk, "checksum": i.Checksum, "os_hash_value": i.HashValue, "os_hash_algo": i.HashAlgo} {
		if name == attr {
			if p == nil {
				return ""
			}
			return *p
		}
	}
	switch name {
	case "id":
		return i.ID
	case "owner":
		return i.Owner
	case "status":
		return i.Status
	}
	return i.Props[name]
}

// orderOf reads sort=key:dir,… or sort_key and sort_dir; the default is newest first.
func orderOf(q url.Values) (func(a, b *glanceImage) int, error) {
	spec := q.Get("sort")
	if spec == "" && q.Has("sort_key") {
		spec = q.Get("sort_key") + ":" + cmp.Or(q.Get("sort_dir"), "desc")
	}
	spec = cmp.Or(spec, "created_at:desc")
	var by []func(a, b *glanceImage) int
	for _, part := range strings.Split(spec, ",") {
		key, dir, _ := strings.Cut(part, ":")
		f, ok := sortKeys[key]
		if !ok || dir != "" && dir != "asc" && dir != "desc" {
			return nil, faultf(400, "Unsupported sort %q", part)
		}
		if dir != "asc" {
			by = append(by, func(a, b *glanceImage) int { return f(b, a) })
			continue
		}
		by = append(by, f)
	}
	return func(a, b *glanceImage) int {
		for _, f := range by {
			if n := f(a, b); n != 0 {
				return n
			}
		}
		return cmp.Compare(b.Seq, a.Seq)
	}, nil
}

var sortKeys = map[string]func(a, b *glanceImage) int{
	"name":       func(a, b *glanceImage) int { return cmp.Compare(a.text("name"), b.text("name")) },
	"id":         func(a, b *glanceImage) int { return cmp.Compare(a.ID, b.ID) },
	"status":     func(a, b *glanceImage) int { return cmp.Compare(a.Status, b.Status) },
	"size":       func(a, b *glanceImage) int { return cmp.Compare(sizeOf(a), sizeOf(b)) },
	"created_at": func(a, b *glanceImage) int { return compareTime(a.Created, b.Created, a.Seq, b.Seq) },
	"updated_at": func(a, b *glanceImage) int { return a.Updated.Compare(b.Updated) },
}

func compareTime(a, b time.Time, seqA, seqB int64) int {
	return cmp.Or(a.Compare(b), cmp.Compare(seqA, seqB))
}

func sizeOf(i *glanceImage) int64 {
	if i.Size == nil {
		return 0
	}
	return *i.Size
}
