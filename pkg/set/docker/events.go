package docker

import (
	"context"
	"iter"
	"time"

	"github.com/docker/docker/api/types/events"

	"github.com/moset/moset/pkg/set"
)

// Events implements set.EngineEvents. A stream that breaks is yielded as an error and opened again.
func (e *Engine) Events(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for ctx.Err() == nil {
			if !e.follow(ctx, yield) {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

// follow yields one stream's events; false when the consumer has enough.
func (e *Engine) follow(ctx context.Context, yield func(string, error) bool) bool {
	f := e.mine("")
	f.Add("type", string(events.ContainerEventType))
	for _, action := range []events.Action{events.ActionDie, events.ActionOOM, events.ActionStart, events.ActionPause, events.ActionUnPause, events.ActionDestroy} {
		f.Add("event", string(action))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, failed := e.docker.Events(ctx, events.ListOptions{Filters: f})
	for {
		select {
		case m := <-messages:
			if !yield(m.Actor.Attributes[labelServer], nil) {
				return false
			}
		case err := <-failed:
			return ctx.Err() != nil || yield("", e.translate("follow events", "", err))
		}
	}
}

