package main

import (
	"context"
	"net/netip"
	"path/filepath"
	"strconv"
	"time"
)

// shell attaches with attach.sh, all ports in one call of the script.
type shell struct {
	lab    *lab
	script string
}

const shellBridge = "br-bench-sh"

func (l *lab) newShell(ctx context.Context) (*shell, error) {
	s := &shell{lab: l, script: filepath.Join(l.root, "bench", "attach.sh")}
	if err := s.run(ctx, "remove"); err != nil {
		return nil, err
	}
	l.onClose(func() error { return s.run(context.WithoutCancel(ctx), "remove") })
	return s, s.run(ctx, "setup")
}

func (s *shell) run(ctx context.Context, verb string, args ...string) error {
	return s.lab.commands(ctx, append([]string{s.script, verb, shellBridge}, args...))
}

func (s *shell) bridge() string { return shellBridge }

func (s *shell) address(port int) netip.Addr { return netip.AddrFrom4([4]byte{10, 78, 0, byte(port)}) }

func (s *shell) attach(ctx context.Context, prefix string) (time.Duration, error) {
	begun := time.Now()
	err := s.run(ctx, "attach", strconv.Itoa(attachPorts), prefix)
	return time.Since(begun), err
}

func (s *shell) detach(ctx context.Context) error {
	return s.run(ctx, "detach", strconv.Itoa(attachPorts))
}
