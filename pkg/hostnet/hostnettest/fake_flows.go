package hostnettest

import (
	"context"
	"fmt"
	"strings"

	"github.com/digitalocean/go-openvswitch/ovs"
	"github.com/moset/moset/pkg/hostnet"
)

type fakeFlows struct{ f *Fake }

// Apply implements hostnet.Flows.
func (p fakeFlows) Apply(ctx context.Context, change hostnet.FlowChange) error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if err := p.f.enter(ctx, CallApply); err != nil {
		return err
	}
	for _, m := range change.Delete {
		for text := range p.f.flows {
			if matches(text, m) {
				delete(p.f.flows, text)
			}
		}
	}
	for _, flow := range change.Add {
		text, err := flow.MarshalText()
		if err != nil {
			return err
		}
		p.f.flows[string(text)] = true
	}
	return nil
}

// Has implements hostnet.Flows.
func (p fakeFlows) Has(ctx context.Context, match *ovs.MatchFlow) (bool, error) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if err := p.f.enter(ctx, CallHas); err != nil {
		return false, err
	}
	for text := range p.f.flows {
		if matches(text, match) {
			return true, nil
		}
	}
	return false, nil
}

// Send implements hostnet.Flows.
func (p fakeFlows) Send(ctx context.Context, ofport int, frames ...[]byte) error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if err := p.f.enter(ctx, CallSend); err != nil {
		return err
	}
	p.f.sent[ofport] += len(frames)
	return nil
}

// matches looks at the cookie only, which is all hostnet deletes by.
func matches(text string, m *ovs.MatchFlow) bool {
	var cookie uint64
	if _, after, found := strings.Cut(text, "cookie="); found {
		fmt.Sscanf(after, "0x%x", &cookie)
	}
	mask := m.CookieMask
	if mask == 0 {
		mask = ^uint64(0)
	}
	return cookie&mask == m.Cookie&mask
}
