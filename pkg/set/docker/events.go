package docker

import (
	"context"
	"iter"
	"time"

	"github.com/docker/docker/api/types/events"
)

// reconnectGap is between two tries to follow the engine's events.
const reconnectGap = time.Second

// watched are the actions that can change what the Manager thinks of a server.
var watched = [...]events.Action{events.ActionDie, events.ActionOOM, events.ActionStart, events.ActionPause, events.ActionUnPause, events.ActionDestroy}

// Events implements set.EngineEvents. A stream that breaks is yielded as an error and opened again; then
// every server is yielded once, since events of the time between are lost.
func (e *Engine) Events(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for e.follow(ctx, yield) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(reconnectGap):
			}
			if !e.replay(ctx, yield) {
				return
			}
		}
	}
}

// follow yields one stream's events; false when the consumer has enough or ctx ended.
func (e *Engine) follow(ctx context.Context, yield func(string, error) bool) bool {
	f := e.mine("")
	f.Add("type", string(events.ContainerEventType))
	for _, action := range watched {
		f.Add("event", string(action))
	}
	stream, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := e.negotiate(stream); err != nil {
		return ctx.Err() == nil && yield("", e.translate("follow events", "", err))
	}
	messages, failed := e.docker.Events(stream, events.ListOptions{Filters: f})
	for {
		select {
		case m := <-messages:
			if !yield(m.Actor.Attributes[labelServer], nil) {
				return false
			}
		case err := <-failed:
			return ctx.Err() == nil && yield("", e.translate("follow events", "", err))
		}
	}
}

// replay yields every server there is; false when the consumer has enough.
func (e *Engine) replay(ctx context.Context, yield func(string, error) bool) bool {
	found, err := e.List(ctx)
	if err != nil {
		return true // still down: follow says so
	}
	for _, f := range found {
		if !yield(f.ServerID, nil) {
			return false
		}
	}
	return true
}
