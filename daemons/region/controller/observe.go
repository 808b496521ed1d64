package controller

import (
	"context"
	"errors"
	"time"

	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// observe takes over what a host reports of one server.
func (c *Controller) observe(host string, o set.Observation) error {
	s, _, err := get[set.Server](c.ctx, c.cfg.Store, serverKey(o.ServerID))
	if errors.Is(err, store.ErrNotFound) || err == nil && (s.Host != host || o.Epoch < s.Epoch) {
		if o.State != set.StateDeleted && o.State != set.StateDeleting {
			c.removeStale(host, o.ServerID, o.Epoch) // it must not run there
		}
		return nil
	}
	if err != nil {
		return err
	}
	if o.State == set.StateDeleted && s.Desired == set.DesiredAbsent {
		return c.finish(s)
	}
	c.progress(s.TaskID, o.Steps)
	if !news(s.Observed, o.Observed) {
		return nil
	}
	s, err = c.change(c.ctx, s.ID, func(now *set.Server, _ *store.Txn) (bool, error) {
		if now.Host != host || o.Epoch < now.Epoch || !news(now.Observed, o.Observed) {
			return false, nil
		}
		now.Observed = o.Observed
		now.Observed.Steps = nil // the task has them
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.conclude(s)
}

// news says whether an observation tells more than what is recorded; steps alone do not.
func news(old, o set.Observed) bool {
	if o.At.Before(old.At) {
		return false
	}
	same := old.State == o.State && old.Generation == o.Generation && old.Epoch == o.Epoch && len(old.Containers) == len(o.Containers) &&
		(old.Fault == nil) == (o.Fault == nil)
	if !same {
		return true
	}
	for i, c := range o.Containers {
		if old.Containers[i] != c {
			return true
		}
	}
	return old.Fault != nil && old.Fault.Message != o.Fault.Message
}

// conclude ends the task of a server that got where it should, or never will.
func (c *Controller) conclude(s set.Server) error {
	switch {
	case s.TaskID == "" || s.Desired == set.DesiredAbsent:
		return nil
	case s.Settled():
		return c.succeed(s)
	case s.Observed.State == set.StateFailed && s.Observed.Generation == s.Generation && s.Observed.Epoch == s.Epoch:
		fault := s.Observed.Fault
		if fault == nil {
			fault = &set.Fault{Code: "internal", Message: "the host gave no reason", At: time.Now().UTC()}
		}
		return c.giveUp(s, fault)
	}
	return nil
}

func (c *Controller) succeed(s set.Server) error {
	task := s.TaskID
	var committed func()
	_, err := c.change(c.ctx, s.ID, func(now *set.Server, t *store.Txn) (write bool, err error) {
		committed = nil
		if now.TaskID != task || !now.Settled() {
			return false, nil
		}
		now.TaskID, now.Fault = "", nil
		committed, err = c.endTask(c.ctx, task, nil, t)
		return err == nil, err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && committed == nil {
		return nil
	}
	if err != nil {
		return err
	}
	c.forgetToken(s.ID)
	committed()
	return nil
}

// observeNow asks the host about one server.
func (c *Controller) observeNow(ctx context.Context, s set.Server) error {
	agent, err := c.agent(s.Host)
	if err != nil {
		return err
	}
	list, err := agent.Observe(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, o := range list {
		if err := c.observe(s.Host, o); err != nil {
			return err
		}
	}
	if len(list) == 0 { // the host knows nothing of it: tell it again
		c.drive(s.ID)
	}
	return nil
}

// removeStale makes a host drop what it should not have, until it has heard so.
func (c *Controller) removeStale(host, id string, epoch uint64) {
	c.work.Go(func() {
		for wait := 50 * time.Millisecond; c.ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
			agent, err := c.agent(host)
			if err == nil {
				_, err = agent.Remove(c.ctx, set.Removal{ServerID: id, Epoch: epoch})
			}
			if err == nil || errors.Is(err, set.ErrStaleEpoch) {
				return
			}
			if !errors.Is(err, set.ErrUnavailable) {
				c.cfg.Logger.Error("a host does not remove a stale server", "host", host, "server", id, "error", err)
				return
			}
			c.pause(wait) // its next Watch names the server again, should the region die before
		}
	})
}
