package side

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/moset/moset/daemons/registry/front"
	"github.com/moset/moset/internal/daemon"
)

// Moset serves the registry daemon's handler in this process. around, if not nil, is put about the handler.
func Moset(ctx context.Context, cfg front.Config, around func(http.Handler) http.Handler) (Registry, error) {
	handler, err := front.New(cfg)
	if err != nil {
		return Registry{}, err
	}
	var whole http.Handler = handler
	if around != nil {
		whole = around(handler)
	}
	r, err := Serve(ctx, whole)
	if err != nil {
		return Registry{}, errors.Join(err, handler.Close())
	}
	end := r.Close
	r.Close = func() error { return errors.Join(end(), handler.Close()) }
	return r, nil
}

// Serve serves any handler on a free port of loopback until it is closed.
func Serve(ctx context.Context, handler http.Handler) (Registry, error) {
	listener := &daemon.Listener{Name: "bench", Addr: "127.0.0.1:0", Handler: handler}
	if err := daemon.BindAll(listener); err != nil {
		return Registry{}, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- listener.Serve(ctx, time.Second) }()
	return Registry{Host: listener.Bound.Addr().String(), Close: func() error {
		cancel()
		return <-ended
	}}, nil
}
