package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/docker/docker/client"
)

// lab is what the benchmarks share: the private daemons, and a cloud on them once one is needed.
type lab struct {
	spans   bool
	verbose bool

	dir       string // everything made here; goes with the lab
	root      string // of the project
	docker    *client.Client
	dockerURL string
	ovsRunDir string
	logger    *slog.Logger
	cleanups  []func() error

	shared *cloud // see cloud
}

func (l *lab) open(context.Context) error {
	l.dockerURL, l.ovsRunDir = os.Getenv("MOSET_TEST_DOCKER"), os.Getenv("MOSET_TEST_OVS_RUNDIR")
	switch {
	case os.Getuid() != 0:
		return errors.New("containers, namespaces and a switch need root: run it as root")
	case l.dockerURL == "" || l.ovsRunDir == "":
		return errors.New("MOSET_TEST_DOCKER and MOSET_TEST_OVS_RUNDIR are not set: run make bench, or eval \"$(scripts/machine env)\" first")
	}
	if _, err := os.Stat("scripts/images"); err != nil {
		return errors.New("scripts/images is not here: run it from the project's own directory")
	}
	l.logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var err error
	if l.dir, err = os.MkdirTemp("", "moset-bench-"); err != nil {
		return err
	}
	l.onClose(func() error { return os.RemoveAll(l.dir) })
	if l.root, err = os.Getwd(); err != nil {
		return err
	}
	l.docker, err = client.NewClientWithOpts(client.WithHost(l.dockerURL), client.WithAPIVersionNegotiation())
	if err == nil {
		l.onClose(l.docker.Close)
	}
	return err
}

// onClose registers what close does, last first.
func (l *lab) onClose(f func() error) { l.cleanups = append(l.cleanups, f) }

func (l *lab) close() error {
	var errs []error
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		errs = append(errs, l.cleanups[i]())
	}
	return errors.Join(errs...)
}

// note says something on the way; the figures alone are on standard output.
func (l *lab) note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "  "+strings.TrimSuffix(format, "\n")+"\n", args...)
}

// detail is note when every sample is wanted.
func (l *lab) detail(format string, args ...any) {
	if l.verbose {
		l.note(format, args...)
	}
}
