package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/set"
)

// The most that a forecast counts to, and what it counts to when nothing is said.
const (
	MaxForecast     = 10_000
	defaultForecast = 1_000
)

// ForecastRequest asks how many more servers of a spec the hosts would take now.
type ForecastRequest struct {
	Spec  set.Spec `json:"spec"`
	Limit int      `json:"limit,omitempty"` // counts to this, at most MaxForecast; 0 means 1000
}

// Forecast is the answer. Addresses of the project's network are not looked at.
type Forecast struct {
	Fit     int    `json:"fit"`
	Limited bool   `json:"limited"` // one more than the limit would fit
	Hosts   int    `json:"hosts"`   // that they would be on
	Why     string `json:"why"`     // not one more fits; empty when Limited
}

// Forecast is a create without consequences: it checks the spec and the images, plans, and writes nothing down.
// Errors: those of a create, but no room at all is an answer.
func (c *Controller) Forecast(ctx context.Context, caller Caller, r ForecastRequest) (Forecast, error) {
	f, err := tenant{c, caller}.forecast(ctx, r)
	return f, wrap("forecast", "", err)
}

func (t tenant) forecast(ctx context.Context, r ForecastRequest) (Forecast, error) {
	if r.Limit == 0 {
		r.Limit = defaultForecast
	}
	if r.Limit < 0 || r.Limit > MaxForecast {
		return Forecast{}, fmt.Errorf("%w: limit: %d: give one from 1 to %d", set.ErrInvalid, r.Limit, MaxForecast)
	}
	req := set.CreateRequest{Name: "forecast", Spec: r.Spec, Desired: set.DesiredRunning}
	if err := t.mayWrite(); err != nil {
		return Forecast{}, err
	}
	if err := req.Validate(); err != nil {
		return Forecast{}, err
	}
	b, err := t.prepare(ctx, req, time.Now())
	if err != nil {
		return Forecast{}, err
	}
	if err := t.c.begun.wait(ctx); err != nil {
		return Forecast{}, err
	}
	wanted := request(b.model)
	wanted.ID, wanted.Layers = "forecast", t.c.layersOf(b.model)
	return t.c.room(ctx, wanted, r.Limit)
}

// room asks the planner; one that cannot forecast plans one more than the limit.
func (c *Controller) room(ctx context.Context, wanted sched.Set, limit int) (Forecast, error) {
	snap := c.ledger.Snapshot()
	if p, ok := c.cfg.Planner.(interface {
		Forecast(context.Context, sched.Snapshot, sched.Set, int) (sched.Forecast, error)
	}); ok {
		f, err := p.Forecast(ctx, snap, wanted, limit)
		answer := Forecast{Fit: f.Fit, Limited: f.Limited, Hosts: f.Hosts}
		if err == nil && !f.Limited {
			answer.Why = f.Why.String()
		}
		return answer, noFit(err)
	}
	plan, err := c.cfg.Planner.Plan(ctx, snap, sched.Batch{Set: wanted, N: limit + 1, Min: 1})
	if errors.Is(err, sched.ErrNoFit) {
		return Forecast{Why: noFit(err).Error()}, nil
	}
	if err != nil {
		return Forecast{}, noFit(err)
	}
	return summary(plan, limit), nil
}

func summary(plan sched.Plan, limit int) Forecast {
	f := Forecast{Fit: min(limit, len(plan.Claims)), Limited: len(plan.Claims) > limit}
	hosts := map[string]bool{}
	for _, claim := range plan.Claims[:f.Fit] {
		hosts[claim.HostID] = true
	}
	if f.Hosts = len(hosts); !f.Limited {
		f.Why = plan.Why.String()
	}
	return f
}
