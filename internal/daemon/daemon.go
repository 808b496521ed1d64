// Package daemon is what every reference daemon's main shares: a context that ends at a signal, a
// logger, and an HTTP server that shuts down gracefully.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Run calls serve with a context that ends at SIGINT or SIGTERM and exits 1 with one sentence on an error.
func Run(name string, serve func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := serve(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		if errors.Is(err, ErrUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// ErrUsage is an error of what was typed; the program ends with 2, as for a wrong flag.
var ErrUsage = errors.New("wrong usage")

// Logger writes text lines to standard error; level is "debug", "info", "warn" or "error".
func Logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q is not known: use debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}

// Listener is a bound address with what is served on it.
type Listener struct {
	Name    string // for messages: "region"
	Addr    string // host:port
	Handler http.Handler
	TLS     *tls.Config           // nil serves without
	Drain   func(context.Context) // called at the end, while requests are still taken, for as long as the grace; may be nil
	Bound   net.Listener          // set by Bind
}

// Bind takes the address, so that a port that is taken shows before anything else is started.
func (l *Listener) Bind() error {
	bound, err := net.Listen("tcp", l.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s cannot listen on %s: the port is taken; choose another one", l.Name, l.Addr)
	}
	if err != nil {
		return fmt.Errorf("%s cannot listen on %s: %w", l.Name, l.Addr, err)
	}
	l.Bound = bound
	return nil
}

// Serve serves until ctx ends, then lets requests under way finish for up to grace.
func (l *Listener) Serve(ctx context.Context, grace time.Duration) error {
	// Requests outlive ctx: they end by Shutdown, which waits for them, and streams by base.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s := &http.Server{
		Handler:           l.Handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	failed := make(chan error, 1)
	go func() {
		if l.TLS != nil {
			s.TLSConfig = l.TLS
			failed <- s.ServeTLS(l.Bound, "", "")
			return
		}
		failed <- s.Serve(l.Bound)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("%s stopped serving: %w", l.Name, err)
	case <-ctx.Done():
	}
	l.drain(ctx, grace)
	time.AfterFunc(grace/2, cancel)
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer done()
	if s.Shutdown(stop) != nil {
		return s.Close()
	}
	return nil
}

func (l *Listener) drain(ctx context.Context, grace time.Duration) {
	if l.Drain == nil {
		return
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer done()
	l.Drain(ctx)
}

// ServeAll serves every listener until ctx ends or one fails.
func ServeAll(ctx context.Context, grace time.Duration, listeners ...*Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { results <- l.Serve(ctx, grace) }()
	}
	var first error
	for range listeners {
		if err := <-results; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}

// URL is where the listener serves, once it is bound.
func (l *Listener) URL() string {
	scheme := "http://"
	if l.TLS != nil {
		scheme = "https://"
	}
	return scheme + l.Bound.Addr().String()
}

// BindAll binds every listener, or none.
func BindAll(listeners ...*Listener) error {
	for i, l := range listeners {
		if err := l.Bind(); err != nil {
			for _, bound := range listeners[:i] {
				_ = bound.Bound.Close()
			}
			return err
		}
	}
	return nil
}
