package hostnettest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/moset/moset/pkg/hostnet"
)

type fakePorts struct{ f *Fake }

// Lock implements hostnet.Ports.
func (p fakePorts) Lock(context.Context) (func(), error) {
	p.f.lock.Lock()
	var once sync.Once
	return func() { once.Do(p.f.lock.Unlock) }, nil
}

// List implements hostnet.Ports.
func (p fakePorts) List(ctx context.Context) ([]hostnet.PortRow, error) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if err := p.f.enter(ctx, CallList); err != nil {
		return nil, err
	}
	return slices.Clone(p.f.rows), nil
}

// Commit implements hostnet.Ports.
func (p fakePorts) Commit(ctx context.Context, change hostnet.PortChange) error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if err := p.f.enter(ctx, CallCommit); err != nil {
		return err
	}
	for _, gone := range change.Remove {
		p.f.rows = slices.DeleteFunc(p.f.rows, func(r hostnet.PortRow) bool { return r.UUID == gone.UUID })
	}
	for _, u := range change.Update {
		for i := range p.f.rows {
			if p.f.rows[i].Name == u.Name {
				p.f.rows[i].ExternalIDs = u.ExternalIDs
			}
		}
	}
	for _, add := range change.Add {
		p.f.index++
		add.UUID = fmt.Sprint("uuid-", p.f.index)
		p.f.rows = append(p.f.rows, p.f.adopt(add))
	}
	return nil
}

// adopt does what the switch does with a new row: it gives the number asked for, or silently another one
// when that is taken, and -1 with an error when there is no such device.
func (f *Fake) adopt(row hostnet.PortRow) hostnet.PortRow {
	link, ok := f.links[row.Name]
	if !ok {
		row.OFPort, row.Error = -1, "could not open network device "+row.Name
		return row
	}
	row.Ifindex, row.OFPort = link.Index, row.Request
	for _, r := range f.rows {
		if r.OFPort == row.Request {
			row.OFPort = 1 + f.index
		}
	}
	return row
}

// Wait implements hostnet.Ports.
func (p fakePorts) Wait(ctx context.Context, _ ...string) error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	return p.f.enter(ctx, CallWait)
}
