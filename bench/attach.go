package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
)

// The burst of ports. The first round of each side is not counted.
const (
	attachPorts  = 50
	attachRounds = 5
	flowsPerPort = 5 // of either side; checked
)

// wirer is one side of the port figure: it attaches the namespaces prefix+1 to prefix+attachPorts to a
// bridge of its own and says how long that took.
type wirer interface {
	attach(ctx context.Context, prefix string) (time.Duration, error)
	detach(ctx context.Context) error
	bridge() string
	address(port int) netip.Addr // of a port, from 1
}

// benchAttach measures the wall time for each port of a burst, beside a careful shell script.
func benchAttach(ctx context.Context, l *lab) ([]figure.Figure, error) {
	native, err := l.newNative(ctx)
	if err != nil {
		return nil, err
	}
	shell, err := l.newShell(ctx)
	if err != nil {
		return nil, err
	}
	times := map[wirer]figure.Samples{}
	for round := range attachRounds + 1 {
		for _, w := range []wirer{native, shell} {
			took, err := l.attachRound(ctx, w)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.bridge(), err)
			}
			l.detail("attach %d on %s: %v", round, w.bridge(), took)
			if round > 0 {
				times[w] = append(times[w], took/attachPorts)
			}
		}
	}
	return []figure.Figure{{Name: fmt.Sprintf("attach-%d-per-port", attachPorts), Unit: "ms", Ours: figure.Milliseconds(times[native].Median()),
		Peer: "shell", Their: figure.Milliseconds(times[shell].Median()), Goal: figure.Goal{Bound: 0.2}}}, nil
}

// attachRound makes namespaces, attaches them, checks that they reach each other and hold their rules, and
// takes everything back.
func (l *lab) attachRound(ctx context.Context, w wirer) (took time.Duration, err error) {
	prefix := "moset-bench-" + w.bridge() + "-"
	defer func() {
		err = errors.Join(err, w.detach(context.WithoutCancel(ctx)))
		for i := 1; i <= attachPorts; i++ {
			err = errors.Join(err, hostnettest.DeleteNetNS(fmt.Sprint(prefix, i)))
		}
	}()
	for i := 1; i <= attachPorts; i++ {
		_ = hostnettest.DeleteNetNS(fmt.Sprint(prefix, i)) // of a run that was killed
		if err := hostnettest.MakeNetNS(fmt.Sprint(prefix, i)); err != nil {
			return 0, err
		}
	}
	before, err := l.flows(ctx, w.bridge())
	if err != nil {
		return 0, err
	}
	if took, err = w.attach(ctx, prefix); err != nil {
		return 0, err
	}
	after, err := l.flows(ctx, w.bridge())
	if err == nil && after-before != attachPorts*flowsPerPort {
		err = fmt.Errorf("%d ports brought %d rules instead of %d each", attachPorts, after-before, flowsPerPort)
	}
	return took, errors.Join(err, reach(ctx, prefix, w))
}

// flows counts the rules of a bridge.
func (l *lab) flows(ctx context.Context, bridge string) (int, error) {
	target := "unix:" + filepath.Join(l.ovsRunDir, bridge+".mgmt")
	out, err := exec.CommandContext(ctx, "ovs-ofctl", "--no-stats", "dump-flows", target).Output()
	return strings.Count(string(out), "actions="), err
}

// reach pings the first port from the last one and the other way round.
func reach(ctx context.Context, prefix string, w wirer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for from, to := range map[int]int{1: attachPorts, attachPorts: 1} {
		if err := hostnettest.Ping(ctx, hostnettest.NetNSPath(fmt.Sprint(prefix, from)), w.address(to)); err != nil {
			return fmt.Errorf("port %d does not reach port %d: %w", from, to, err)
		}
	}
	return nil
}
