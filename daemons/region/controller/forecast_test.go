package controller_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/set"
)

var someone = controller.Caller{ProjectID: "project-1", UserID: "user-1", RequestID: "req-1"}

// plain is a planner that can do nothing but plan.
type plain struct{ s *sched.Scheduler }

func (p plain) Plan(ctx context.Context, s sched.Snapshot, b sched.Batch) (sched.Plan, error) {
	return p.s.Plan(ctx, s, b)
}

func TestAForecastIsWhatCreatesThenGet(t *testing.T) {
	for name, change := range map[string]func(*controller.Config){
		"the built-in scheduler": nil,
		"one that only plans": func(c *controller.Config) {
			c.Planner = plain{sched.New(sched.Config{Filters: append(sched.DefaultFilters(), controller.ReadyFilter{})})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegion(t, change)
			me, spec := someone, request("web").Spec
			f, err := r.Forecast(t.Context(), me, controller.ForecastRequest{Spec: spec})
			require.NoError(t, err)
			assert.Equal(t, controller.Forecast{Why: f.Why}, f, "there is no host yet")
			assert.NotEmpty(t, f.Why)
			r.fakes(t, "host-1", 3)
			r.fakes(t, "host-2", 2)
			for range 2 { // nothing is taken
				f, err = r.Forecast(t.Context(), me, controller.ForecastRequest{Spec: spec})
				require.NoError(t, err)
				assert.Equal(t, 5, f.Fit)
				assert.Equal(t, 2, f.Hosts)
				assert.False(t, f.Limited)
				assert.Regexp(t, `^0 of 2 hosts fit: 2 lack `, f.Why)
			}
			f, err = r.Forecast(t.Context(), me, controller.ForecastRequest{Spec: spec, Limit: 4})
			require.NoError(t, err)
			assert.Equal(t, controller.Forecast{Fit: 4, Limited: true, Hosts: 2}, f)
			tasks, refused := createAll(t, r.mine(), 6)
			assert.Len(t, tasks, 5)
			assert.Len(t, refused, 1)
			for _, task := range tasks {
				done(t, r.mine(), task, nil)
			}
			f, err = r.Forecast(t.Context(), me, controller.ForecastRequest{Spec: spec})
			require.NoError(t, err)
			assert.Zero(t, f.Fit)
		})
	}
}

func TestAForecastRefusesWhatACreateWould(t *testing.T) {
	r := newRegion(t, nil)
	r.fakes(t, "host-1", 1)
	spec := request("web").Spec
	reader := someone
	reader.ReadOnly = true
	_, err := r.Forecast(t.Context(), reader, controller.ForecastRequest{Spec: spec})
	assert.ErrorIs(t, err, set.ErrForbidden)
	for _, limit := range []int{-1, controller.MaxForecast + 1} {
		_, err = r.Forecast(t.Context(), someone, controller.ForecastRequest{Spec: spec, Limit: limit})
		assert.ErrorIs(t, err, set.ErrInvalid)
	}
	_, err = r.Forecast(t.Context(), someone, controller.ForecastRequest{})
	assert.ErrorIs(t, err, set.ErrInvalid)
}
