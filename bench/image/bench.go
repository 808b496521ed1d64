package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/docker/docker/client"

	"github.com/moset/moset/bench/side"
	"github.com/moset/moset/pkg/authn"
)

// bench is what all figures share: the engine, the cloud's Keystone, and the peer.
type bench struct {
	runs int
	spy  bool // show every request to Glance

	stem     string // of the repositories of this run: Glance keeps what it knows of those before
	dir      string // everything made here; goes at the end
	logger   *slog.Logger
	engine   engine
	authURL  string
	token    string
	verifier authn.Verifier
	peer     *contender
	cleanups []func() error
}

func (b *bench) open(ctx context.Context) error {
	url := os.Getenv("MOSET_TEST_DOCKER")
	if url == "" {
		return errors.New("MOSET_TEST_DOCKER is not set: run make bench-image, or eval \"$(scripts/machine env)\" first")
	}
	b.logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b.stem = strings.ToLower(rand.Text()[:10])
	var err error
	if b.dir, err = os.MkdirTemp(os.Getenv("MOSET_STATE"), "bench-image-"); err != nil {
		return err
	}
	b.onClose(func() error { return os.RemoveAll(b.dir) })
	docker, err := client.NewClientWithOpts(client.WithHost(url), client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	b.onClose(docker.Close)
	b.engine = engine{docker}
	if err := b.connect(ctx); err != nil {
		return err
	}
	r, err := side.DockerRegistry(ctx, b.dir)
	if err != nil {
		return err
	}
	b.onClose(r.Close)
	b.peer = &contender{name: peerName, host: r.Host, repos: "bench"}
	return nil
}

// onClose registers what close does, last first.
func (b *bench) onClose(f func() error) { b.cleanups = append(b.cleanups, f) }

func (b *bench) close() error {
	var errs []error
	for i := len(b.cleanups) - 1; i >= 0; i-- {
		errs = append(errs, b.cleanups[i]())
	}
	return errors.Join(errs...)
}

// note says something on the way; the figures alone are on standard output.
func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "  "+strings.TrimSuffix(format, "\n")+"\n", args...)
}
