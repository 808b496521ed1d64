package hostnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/digitalocean/go-openvswitch/ovs"
	"github.com/moset/moset/pkg/hostnet/internal/openflow"
)

// ofctlFlows is Flows by ovs-ofctl, in go-openvswitch's words.
type ofctlFlows struct {
	runDir string
	socket string // of the bridge
}

// Apply implements Flows with one bundle.
func (f *ofctlFlows) Apply(ctx context.Context, change FlowChange) error {
	call := &ofctlCall{ctx: ctx, flows: f}
	err := call.client().OpenFlow.AddFlowBundle(f.target(), func(tx *ovs.FlowTransaction) error {
		tx.Delete(change.Delete...)
		tx.Add(change.Add...)
		return tx.Commit()
	})
	if err != nil {
		return call.because(err)
	}
	return f.forget(ctx, change.Forget)
}

// forget flushes tracked connections, those an address began and those it answered, all over one connection:
// an ovs-ofctl for each would take most of the time. A switch before 3.1 cannot; there they age.
func (f *ofctlFlows) forget(ctx context.Context, list []Connections) error {
	if len(list) == 0 {
		return nil
	}
	var requests []openflow.Request
	for _, c := range list {
		requests = append(requests, openflow.FlushFrom(uint16(c.Tenant), c.Addr), openflow.FlushTo(uint16(c.Tenant), c.Addr))
	}
	var refused *openflow.Error
	err := openflow.Do(ctx, f.socket, requests...)
	switch {
	case err == nil || errors.Is(err, openflow.ErrUnknown):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &refused):
		return fmt.Errorf("forget tracked connections: %w", err)
	}
	return fmt.Errorf("%w: ovs-vswitchd did not forget tracked connections at %s; see that it runs: %w", ErrUnavailable, f.socket, err)
}

// Has implements Flows.
func (f *ofctlFlows) Has(ctx context.Context, match *ovs.MatchFlow) (bool, error) {
	call := &ofctlCall{ctx: ctx, flows: f}
	found, err := call.client().OpenFlow.DumpFlowsWithFlowArgs(f.target(), match)
	return len(found) > 0, call.because(err)
}

// Send implements Flows.
func (f *ofctlFlows) Send(ctx context.Context, ofport int, frames ...[]byte) error {
	var requests []openflow.Request
	for _, frame := range frames {
		requests = append(requests, openflow.PacketOut(ofport, frame))
	}
	return openflow.Do(ctx, f.socket, requests...)
}

func (f *ofctlFlows) target() string { return "unix:" + f.socket }

// ofctlCall lends one call's context to go-openvswitch, which has none of its own, and keeps the true
// cause of a failure, which it turns into text.
type ofctlCall struct {
	ctx   context.Context
	flows *ofctlFlows
	cause error
}

func (c *ofctlCall) client() *ovs.Client {
	return ovs.New(ovs.Exec(c.exec), ovs.Pipe(c.pipe))
}

func (c *ofctlCall) exec(name string, args ...string) ([]byte, error) {
	return c.pipe(nil, name, args...)
}

func (c *ofctlCall) pipe(stdin io.Reader, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(c.ctx, name, args...)
	cmd.Stdin = stdin
	cmd.Env = append(os.Environ(), "OVS_RUNDIR="+c.flows.runDir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.cause = c.explain(name, string(out), err)
	}
	return out, err
}

func (c *ofctlCall) because(err error) error {
	if err != nil && c.cause != nil {
		return c.cause
	}
	return err
}

func (c *ofctlCall) explain(name, output string, err error) error {
	switch {
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: %s is not installed; install Open vSwitch (Debian: openvswitch-switch)", ErrUnsupported, name)
	case strings.Contains(output, "connecting to ") || strings.Contains(output, "failed to connect") || strings.Contains(output, "is not a bridge or a socket"):
		return fmt.Errorf("%w: ovs-vswitchd does not answer at %s; start it", ErrUnavailable, c.flows.socket)
	}
	return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(output))
}
