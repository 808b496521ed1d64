package hostnettest

import (
	"context"
	"fmt"
	"maps"

	"github.com/moset/moset/pkg/hostnet"
)

type fakeLink struct {
	hostnet.Link
	owner uint16
}

type fakeLinks struct {
	f     *Fake
	owner uint16
}

// Create implements hostnet.Links.
func (p fakeLinks) Create(ctx context.Context, spec hostnet.LinkSpec) (hostnet.Link, error) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if err := p.f.enter(ctx, CallCreate); err != nil {
		return hostnet.Link{}, err
	}
	inode, ok := p.f.spaces[spec.NetNS.Path]
	if !ok {
		return hostnet.Link{}, fmt.Errorf("%w: no namespace %s", hostnet.ErrNotFound, spec.NetNS.Path)
	}
	key := fmt.Sprintf("%d/%s", inode, spec.IfName)
	if p.f.inside[key] != "" {
		return hostnet.Link{}, fmt.Errorf("%w: %s is taken", hostnet.ErrConflict, spec.IfName)
	}
	p.f.index++
	link := hostnet.Link{Name: spec.HostIf, Index: p.f.index, Up: true}
	p.f.inside[key], p.f.links[spec.HostIf] = spec.HostIf, fakeLink{link, p.owner}
	return link, nil
}

// Delete implements hostnet.Links.
func (p fakeLinks) Delete(_ context.Context, names ...string) error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	for _, name := range names {
		delete(p.f.links, name)
		maps.DeleteFunc(p.f.inside, func(_, host string) bool { return host == name })
	}
	return nil
}

// List implements hostnet.Links.
func (p fakeLinks) List(context.Context) ([]hostnet.Link, error) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	var links []hostnet.Link
	for _, l := range p.f.links {
		if l.owner == p.owner {
			links = append(links, l.Link)
		}
	}
	return links, nil
}

// Inode implements hostnet.Links.
func (p fakeLinks) Inode(path string) (uint64, error) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	inode, ok := p.f.spaces[path]
	if !ok {
		return 0, fmt.Errorf("%w: no namespace %s", hostnet.ErrNotFound, path)
	}
	return inode, nil
}

// Raise implements hostnet.Uplinks.
func (p fakeLinks) Raise(_ context.Context, name string) (hostnet.Link, error) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	link, ok := p.f.links[name]
	if !ok {
		return hostnet.Link{}, fmt.Errorf("%w: no link %s", hostnet.ErrNotFound, name)
	}
	return link.Link, nil
}

type fakeShaper struct{ f *Fake }

// Shape implements hostnet.Shaper.
func (p fakeShaper) Shape(ctx context.Context, link hostnet.LinkSpec, to, from hostnet.Limit) error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if err := p.f.enter(ctx, CallShape); err != nil {
		return err
	}
	p.f.shapes[link.HostIf] = [2]hostnet.Limit{to, from}
	return nil
}
