package main

import (
	"context"
	"fmt"
	"time"

	"github.com/moset/moset/pkg/hostnet/hostnettest"
)

// The probe's rhythm, the same for both sides: a refused connection is tried again after gap.
const (
	probeGap     = time.Millisecond
	probeTimeout = 60 * time.Second
)

// awaitPage returns when a page is served to somebody in the namespace.
func awaitPage(ctx context.Context, ns, url string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	for {
		_, err := hostnettest.HTTPGet(ctx, ns, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s gave no page: %w", url, err)
		case <-time.After(probeGap):
		}
	}
}
