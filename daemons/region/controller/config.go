package controller

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/set"
)

// Config composes a Controller. Store, Networks, Images and Dial are needed.
type Config struct {
	Store       store.Store
	Networks    *ipam.IPAM
	Images      ImageResolver
	Dial        func(Host) (set.Agent, error) // how the region reaches a host
	Planner     Planner                       // default: sched's built-in policy, not-ready hosts left out
	Defaults    set.Resources                 // limits of sets that name none; default 500m, 256 MiB, 512 processes
	HostTimeout time.Duration                 // a host that did not report for so long is not ready; default 10s
	HostCall    time.Duration                 // longest wait for a host's answer; default 15s
	Reunion     time.Duration                 // after a start, how long a create waits for hosts that have yet to report; default 5s
	KeepTasks   time.Duration                 // how long a finished task can be read; default 24h
	Logger      *slog.Logger                  // nil discards
}

// ImageResolver finds images with the caller's token. Errors: set.ErrNotFound, set.ErrForbidden,
// set.ErrInvalid, set.ErrUnauthenticated, set.ErrUnavailable.
type ImageResolver interface {
	Resolve(ctx context.Context, ref string, c Caller) (set.Image, error)
}

// Planner decides which host gets which server; *sched.Scheduler is one. Hosts that are not ready carry
// the label LabelNotReady.
type Planner interface {
	Plan(ctx context.Context, s sched.Snapshot, b sched.Batch) (sched.Plan, error)
}

// Caller is on whose behalf a Controller acts.
type Caller struct {
	ProjectID   string
	ProjectName string // first path element of its own repositories
	UserID      string
	Admin       bool // may read every project's servers by id
	ReadOnly    bool
	Token       set.Secret // asks Glance, and pulls while the task runs
	RequestID   string
}

func (c Config) withDefaults() (Config, error) {
	if c.Store == nil || c.Networks == nil || c.Images == nil || c.Dial == nil {
		return c, fmt.Errorf("%w: a controller needs Store, Networks, Images and Dial", set.ErrInvalid)
	}
	if c.Planner == nil {
		c.Planner = sched.New(sched.Config{Filters: append([]sched.Filter{ReadyFilter{}}, sched.DefaultFilters()...)})
	}
	if c.Defaults == (set.Resources{}) {
		c.Defaults = set.Resources{CPU: 500, Memory: 256 << 20, Pids: 512}
	}
	if c.HostTimeout == 0 {
		c.HostTimeout = 10 * time.Second
	}
	if c.HostCall == 0 {
		c.HostCall = 15 * time.Second
	}
	if c.Reunion == 0 {
		c.Reunion = 5 * time.Second
	}
	if c.KeepTasks == 0 {
		c.KeepTasks = 24 * time.Hour
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
