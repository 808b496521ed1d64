package registry

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/moset/moset/pkg/image"
)

func (h *Handler) tagList(c *call) error {
	list, err := image.List(c.r.Context(), c.store, image.Query{Repo: c.repo})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errorf(http.StatusNotFound, codeNameUnknown, "no repository %s is visible to project %s", c.repo, c.id.Project)
	}
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.Tag
	}
	names, err = c.page(names)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"name": c.repo, "tags": names})
	return nil
}

func (h *Handler) catalog(c *call) error {
	names, err := image.Repos(c.r.Context(), c.store)
	if err == nil {
		names, err = c.page(names)
	}
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"repositories": names})
	return nil
}

// page cuts a sorted list by the parameters last and n, and links to what follows.
func (c *call) page(names []string) ([]string, error) {
	q := c.r.URL.Query()
	if last := q.Get("last"); last != "" {
		at, found := slices.BinarySearch(names, last)
		if found {
			at++
		}
		names = names[at:]
	}
	if !q.Has("n") {
		return notNil(names), nil
	}
	n, err := strconv.Atoi(q.Get("n"))
	if err != nil || n < 0 {
		return nil, errorf(http.StatusBadRequest, codeUnsupported, "the parameter n must be a number, not %.40q", q.Get("n"))
	}
	if n > 0 && n < len(names) {
		next := url.Values{"n": {strconv.Itoa(n)}, "last": {names[n-1]}}
		c.w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, c.r.URL.Path, next.Encode()))
	}
	return notNil(names[:min(n, len(names))]), nil
}

// notNil keeps an empty list from becoming JSON's null.
func notNil(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}
