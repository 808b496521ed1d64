package controller_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set"
)

func TestACreateRightAfterARestartWaitsForTheHostsToReport(t *testing.T) {
	r := newRegion(t, func(c *controller.Config) { c.Reunion = time.Hour })
	r.fakes(t, "host-1", 10)
	require.NoError(t, r.Close())
	r.open(t)
	type answer struct {
		task set.Task
		err  error
	}
	answers := make(chan answer, 1)
	mine := r.mine()
	go func() {
		task, err := mine.Create(t.Context(), request("web"))
		answers <- answer{task, err}
	}()
	select {
	case a := <-answers:
		require.Fail(t, "answered before any host reported", "%v", a.err)
	case <-time.After(100 * time.Millisecond):
	}
	r.report(t)
	a := <-answers
	require.NoError(t, a.err)
	done(t, mine, a.task, nil)
}

func TestAHostThatStaysAwayHoldsCreatesUpForAMomentOnly(t *testing.T) {
	r := newRegion(t, func(c *controller.Config) { c.Reunion = 10 * time.Millisecond })
	r.fakes(t, "host-1", 10)
	require.NoError(t, r.Close())
	r.open(t)
	_, err := r.mine().Create(t.Context(), request("web"))
	require.ErrorIs(t, err, set.ErrNoCapacity)
	assert.ErrorContains(t, err, "has not reported since the region started")
}
