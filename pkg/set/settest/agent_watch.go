package settest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// watching follows an Agent in the background; the channel is closed when the watch ends.
func watching(ctx context.Context, t *testing.T, a set.Agent) <-chan set.Observation {
	seen := make(chan set.Observation, 1000)
	go func() {
		defer close(seen)
		for o, err := range a.Watch(ctx) {
			if !assert.NoError(t, err) {
				return
			}
			seen <- o
		}
	}()
	return seen
}

// until takes observations until one is wanted.
func until(t *testing.T, seen <-chan set.Observation, what string, want func(set.Observation) bool) {
	t.Helper()
	patience := time.After(Patience)
	for {
		select {
		case o, open := <-seen:
			require.True(t, open, "the watch ended before %s was seen", what)
			if want(o) {
				return
			}
		case <-patience:
			require.Fail(t, "the watch did not show "+what)
		}
	}
}

func is(id string, s set.State) func(set.Observation) bool {
	return func(o set.Observation) bool { return o.ServerID == id && o.State == s }
}

func agentWatch(t *testing.T, f AgentFixture) {
	up(t, f, Assignment("s1"))
	up(t, f, Assignment("s2"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := watching(ctx, t, f.Agent)
	here := map[string]set.State{}
	until(t, seen, "both servers", func(o set.Observation) bool {
		here[o.ServerID] = o.State
		return len(here) == 2
	})
	assert.Equal(t, map[string]set.State{"s1": set.StateRunning, "s2": set.StateRunning}, here)

	_, err := f.Agent.Apply(t.Context(), Assignment("s3"))
	require.NoError(t, err)
	until(t, seen, "s3 running", is("s3", set.StateRunning))
	require.True(t, f.Host.Engine.Exit("s1", "app", 3))
	until(t, seen, "s1 repaired", func(o set.Observation) bool { // that it was degraded may be merged away
		return is("s1", set.StateRunning)(o) && o.Containers[2].Restarts == 1
	})
	_, err = f.Agent.Remove(t.Context(), set.Removal{ServerID: "s2", Epoch: 1})
	require.NoError(t, err)
	until(t, seen, "s2 deleted", is("s2", set.StateDeleted))
	cancel()
	for range seen { // ends
	}
}

func agentWatchEnds(t *testing.T, f AgentFixture) {
	ctx, cancel := context.WithCancel(t.Context())
	seen := watching(ctx, t, f.Agent)
	time.AfterFunc(20*time.Millisecond, cancel)
	patience := time.After(Patience)
	for {
		select {
		case _, open := <-seen:
			if !open {
				return
			}
		case <-patience:
			require.Fail(t, "the watch outlived its context")
		}
	}
}

func agentWatchStops(t *testing.T, f AgentFixture) {
	up(t, f, Assignment("s1"))
	up(t, f, Assignment("s2"))
	n := 0
	for _, err := range f.Agent.Watch(t.Context()) {
		require.NoError(t, err)
		n++
		break
	}
	assert.Equal(t, 1, n)
	AwaitState(t, f.Agent, "s2", 1, set.StateRunning)
}
