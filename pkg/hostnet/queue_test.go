package hostnet

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func attachJob(ctx context.Context, id PortID) *job {
	return &job{ctx: ctx, attach: &PortSpec{ID: id}, result: make(chan outcome, 1)}
}

func ids(group []*job) (all []PortID) {
	for _, j := range group {
		all = append(all, j.id())
	}
	return all
}

func TestQueueGroupsWhatCanShareACommit(t *testing.T) {
	ctx, q := t.Context(), newQueue()
	alone := &job{ctx: ctx, run: func(context.Context) error { return nil }, result: make(chan outcome, 1)}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	left := attachJob(gone, "left")
	require.True(t, q.add(attachJob(ctx, "a"), left, attachJob(ctx, "b"), attachJob(ctx, "a"),
		&job{ctx: ctx, detach: "a"}, &job{ctx: ctx, detach: "c"}, alone, attachJob(ctx, "d"), attachJob(ctx, "e"), attachJob(ctx, "f")))
	for _, want := range [][]PortID{{"a", "b"}, {"a"}, {"a", "c"}, {""}, {"d", "e"}, {"f"}, nil} {
		assert.Equal(t, want, ids(q.take(2)))
	}
	assert.ErrorIs(t, (<-left.result).err, context.Canceled)
}

func TestClosedQueueAnswersWhoWaits(t *testing.T) {
	q := newQueue()
	waiting := attachJob(t.Context(), "a")
	require.True(t, q.add(waiting))
	q.close()
	assert.ErrorIs(t, (<-waiting.result).err, ErrUnavailable)
	assert.False(t, q.add(attachJob(t.Context(), "b")))
}
