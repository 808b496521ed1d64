package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// For returns the Controller of one caller.
func (c *Controller) For(who Caller) set.Controller { return tenant{c, who} }

// tenant is a Controller as one caller may use it.
type tenant struct {
	c   *Controller
	who Caller
}

var (
	_ set.Controller = tenant{}
	_ set.TaskReader = tenant{}
)

// mayWrite refuses callers that only read.
func (t tenant) mayWrite() error {
	if t.who.ReadOnly {
		return fmt.Errorf("%w: your roles on the project allow reading only", set.ErrForbidden)
	}
	return nil
}

// Get implements set.Controller.
func (t tenant) Get(ctx context.Context, ref string) (set.Server, error) {
	s, err := t.find(ctx, ref, t.who.Admin)
	return t.c.present(s), wrap("get server", ref, err)
}

// find looks a server up by id, then by name; another project's is not there, unless anybody's will do.
func (t tenant) find(ctx context.Context, ref string, anybodys bool) (set.Server, error) {
	s, _, err := get[set.Server](ctx, t.c.cfg.Store, serverKey(ref))
	if errors.Is(err, store.ErrNotFound) {
		var i store.Item
		if i, err = t.c.cfg.Store.Get(ctx, nameKey(t.who.ProjectID, ref)); err == nil {
			s, _, err = get[set.Server](ctx, t.c.cfg.Store, serverKey(string(i.Value)))
		}
	}
	if err == nil && s.ProjectID != t.who.ProjectID && !anybodys {
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		return set.Server{}, fmt.Errorf("%w: the project has no server of that id or name", set.ErrNotFound)
	}
	return s, unavailable(err)
}

// List implements set.Controller.
func (t tenant) List(ctx context.Context, o set.ListOptions) (set.Page, error) {
	if o.Limit <= 0 || o.Limit > 1000 {
		o.Limit = 1000
	}
	prefix := "project/" + t.who.ProjectID + "/"
	cursor := ""
	if o.Marker != "" {
		cursor = prefix + o.Marker
	}
	page := set.Page{Servers: []set.Server{}}
	last := "" // of the page
	for {
		keys, err := t.c.cfg.Store.List(ctx, prefix, cursor, o.Limit)
		if err != nil {
			return page, wrap("list servers", "", unavailable(err))
		}
		for _, k := range keys {
			cursor = k.Key
			s, err := t.listed(ctx, k, o)
			if err != nil {
				return page, wrap("list servers", "", err)
			}
			if s == nil {
				continue
			}
			if len(page.Servers) == o.Limit { // one more matches: there is a next page
				page.Next = strings.TrimPrefix(last, prefix)
				return page, nil
			}
			page.Servers = append(page.Servers, *s)
			last = k.Key
		}
		if len(keys) < o.Limit {
			return page, nil
		}
	}
}

// listed returns the server of an index record if the options select it.
func (t tenant) listed(ctx context.Context, k store.Item, o set.ListOptions) (*set.Server, error) {
	s, _, err := get[set.Server](ctx, t.c.cfg.Store, serverKey(string(k.Value)))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // deleted meanwhile
	}
	if err != nil {
		return nil, err
	}
	if s = t.c.present(s); !matches(s, o) {
		return nil, nil
	}
	return &s, nil
}

func matches(s set.Server, o set.ListOptions) bool {
	if o.Name != "" && s.Name != o.Name || o.Status != "" && s.Status() != o.Status {
		return false
	}
	for k, v := range o.Labels {
		if s.Labels[k] != v {
			return false
		}
	}
	return true
}

func wrap(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return &set.Error{Op: op, ID: id, Err: err}
}
