package registry

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/moset/moset/pkg/image"
)

// maxPath bounds what is parsed of a stranger's URL, in bytes.
const maxPath = 1024

// Kinds of resources below /v2/.
const (
	kindPing      = "ping"
	kindCatalog   = "catalog"
	kindTags      = "tags"
	kindManifest  = "manifest"
	kindReferrers = "referrers"
	kindBlob      = "blob"
	kindUpload    = "upload"
)

// target is what a URL below /v2/ names.
type target struct {
	kind string
	repo string
	arg  string // tag or digest, or the id of an upload
}

// parsePath takes a URL path apart. Errors are apiErrors.
func parsePath(path string) (target, error) {
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok || len(path) > maxPath {
		return target{}, errorf(http.StatusNotFound, codeNameUnknown, "there is nothing at this path")
	}
	switch rest {
	case "":
		return target{kind: kindPing}, nil
	case "_catalog":
		return target{kind: kindCatalog}, nil
	}
	t, ok := split(strings.Split(rest, "/"))
	if !ok {
		return target{}, errorf(http.StatusNotFound, codeNameUnknown, "there is nothing at this path")
	}
	if err := image.CheckRepo(t.repo); err != nil {
		return target{}, errorf(http.StatusBadRequest, codeNameInvalid, "repository names are project/image in lower case: %v", err)
	}
	return t, nil
}

// split looks for the last words of the path, because a repository may contain them too.
func split(e []string) (target, bool) {
	n := len(e)
	join := func(k int) string { return strings.Join(e[:k], "/") }
	switch {
	case n > 3 && e[n-3] == "blobs" && e[n-2] == "uploads":
		return target{kindUpload, join(n - 3), e[n-1]}, true
	case n > 2 && e[n-2] == "blobs" && e[n-1] == "uploads":
		return target{kind: kindUpload, repo: join(n - 2)}, true
	case n > 2 && e[n-2] == "blobs":
		return target{kindBlob, join(n - 2), e[n-1]}, true
	case n > 2 && e[n-2] == "manifests":
		return target{kindManifest, join(n - 2), e[n-1]}, true
	case n > 2 && e[n-2] == "referrers":
		return target{kindReferrers, join(n - 2), e[n-1]}, true
	case n > 2 && e[n-2] == "tags" && e[n-1] == "list":
		return target{kind: kindTags, repo: join(n - 2)}, true
	}
	return target{}, false
}

// call is one request on its way through the handler.
type call struct {
	w http.ResponseWriter
	r *http.Request
	target
	id    Identity
	store image.Store
}

// verb is what answers one method on one kind of resource.
type verb struct {
	do     func(*Handler, *call) error
	writes bool
}

var verbs = map[string]map[string]verb{
	kindPing:    {http.MethodGet: {do: (*Handler).ping}, http.MethodHead: {do: (*Handler).ping}},
	kindCatalog: {http.MethodGet: {do: (*Handler).catalog}},
	kindTags:    {http.MethodGet: {do: (*Handler).tagList}},
	kindManifest: {
		http.MethodGet: {do: (*Handler).getManifest}, http.MethodHead: {do: (*Handler).getManifest},
		http.MethodPut: {do: (*Handler).putManifest, writes: true}, http.MethodDelete: {do: (*Handler).deleteManifest, writes: true},
	},
	kindReferrers: {http.MethodGet: {do: (*Handler).referrers}},
	kindBlob: {
		http.MethodGet: {do: (*Handler).getBlob}, http.MethodHead: {do: (*Handler).headBlob},
		http.MethodDelete: {do: (*Handler).deleteBlob, writes: true},
	},
	kindUpload: {
		http.MethodPost: {do: (*Handler).startUpload, writes: true}, http.MethodPatch: {do: (*Handler).patchUpload, writes: true},
		http.MethodPut: {do: (*Handler).putUpload, writes: true}, http.MethodGet: {do: (*Handler).uploadStatus, writes: true},
		http.MethodDelete: {do: (*Handler).cancelUpload, writes: true},
	},
}

var kindCodes = map[string]codes{
	kindCatalog:   {codeNameUnknown, codeNameInvalid},
	kindTags:      {codeNameUnknown, codeNameInvalid},
	kindManifest:  {codeManifestUnknown, codeManifestInvalid},
	kindReferrers: {codeNameUnknown, codeDigestInvalid},
	kindBlob:      {codeBlobUnknown, codeDigestInvalid},
	kindUpload:    {codeUploadUnknown, codeUploadInvalid},
}

func (h *Handler) serveV2(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	t, err := parsePath(r.URL.Path)
	if err == nil {
		err = h.dispatch(&call{w: w, r: r, target: t})
	}
	if err != nil {
		h.fail(w, r, kindCodes[t.kind], err)
	}
}

func (h *Handler) dispatch(c *call) error {
	v, ok := verbs[c.kind][c.r.Method]
	if !ok {
		e := errorf(http.StatusMethodNotAllowed, codeUnsupported, "%s is not supported here", c.r.Method)
		e.header = http.Header{"Allow": {strings.Join(slices.Sorted(maps.Keys(verbs[c.kind])), ", ")}}
		return e
	}
	var err error
	if c.id, err = h.identify(c); err != nil {
		return err
	}
	if c.kind == kindPing {
		return v.do(h, c)
	}
	if v.writes && !image.Owns(c.id.ProjectID, c.id.Project, c.repo) {
		return errorf(http.StatusForbidden, codeDenied, "the token is for project %s and cannot write to %s: log in to project %s", c.id.Project, c.repo, image.ProjectOf(c.repo))
	}
	if v.writes {
		h.writing.Add(1)
		defer func() {
			h.wrote.Store(time.Now().UnixNano())
			h.writing.Add(-1)
		}()
	}
	if h.passOn(c) {
		return nil
	}
	if c.store, err = h.Stores(c.r.Context(), c.id); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	return v.do(h, c)
}

func (h *Handler) ping(c *call) error {
	writeJSON(c.w, http.StatusOK, struct{}{})
	return nil
}
