package controller

import (
	"errors"
	"time"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// driver tells one server's host what is wanted until the host has taken it over.
type driver struct{ again bool }

// drive wakes the server's driver, or starts one.
func (c *Controller) drive(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.drivers[id]; ok {
		d.again = true
		return
	}
	if c.ctx.Err() != nil {
		return
	}
	d := &driver{}
	c.drivers[id] = d
	c.work.Go(func() { c.run(id, d) })
}

func (c *Controller) run(id string, d *driver) {
	wait := 50 * time.Millisecond
	for {
		err := c.step(id)
		if err != nil && c.ctx.Err() == nil {
			c.cfg.Logger.Warn("telling the host failed, will try again", "server", id, "in", wait, "error", err)
			if !c.pause(wait) {
				return
			}
			wait = min(2*wait, 5*time.Second)
			continue
		}
		c.mu.Lock()
		if !d.again || c.ctx.Err() != nil {
			delete(c.drivers, id)
			c.mu.Unlock()
			return
		}
		d.again = false
		c.mu.Unlock()
		wait = 50 * time.Millisecond
	}
}

func (c *Controller) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// step tells the host once. A nil error means that nothing is left to tell.
func (c *Controller) step(id string) error {
	s, _, err := get[set.Server](c.ctx, c.cfg.Store, serverKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.Desired == set.DesiredAbsent {
		return c.remove(s)
	}
	if s.Host == "" || s.TaskID == "" && s.Settled() {
		return nil
	}
	agent, err := c.agent(s.Host)
	if err != nil {
		return err
	}
	o, err := agent.Apply(c.ctx, c.assignment(s))
	switch {
	case err == nil:
		return c.observe(s.Host, o)
	case errors.Is(err, set.ErrInvalid), errors.Is(err, set.ErrConflict), errors.Is(err, set.ErrStaleEpoch):
		return c.giveUp(s, set.NewFault(err, time.Now().UTC()))
	}
	return err
}

func (c *Controller) assignment(s set.Server) set.Assignment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return set.Assignment{ServerID: s.ID, Name: s.Name, ProjectID: s.ProjectID, Generation: s.Generation, Epoch: s.Epoch, Desired: s.Desired,
		Spec: s.Spec, Images: s.Images, Addresses: s.Addresses, Grace: s.StopGrace, PullToken: c.tokens[s.ID]}
}

func (c *Controller) remove(s set.Server) error {
	if s.Host == "" {
		return c.finish(s)
	}
	agent, err := c.agent(s.Host)
	if err != nil {
		return err
	}
	o, err := agent.Remove(c.ctx, set.Removal{ServerID: s.ID, Epoch: s.Epoch})
	if err != nil {
		return err
	}
	return c.observe(s.Host, o)
}

// giveUp ends the task with a fault. A server that never ran gives back host and address, and keeps only
// its name until it is deleted or started again.
func (c *Controller) giveUp(s set.Server, fault *set.Fault) error {
	task, err := c.task(c.ctx, s.TaskID)
	if err != nil && !errors.Is(err, set.ErrNotFound) {
		return err
	}
	fresh := placedBy(task)
	c.replacing.Lock() // nobody places the server again before its share is back
	defer c.replacing.Unlock()
	host, epoch := s.Host, s.Epoch
	var committed func()
	_, err = c.change(c.ctx, s.ID, func(now *set.Server, t *store.Txn) (write bool, err error) {
		committed = nil
		if now.TaskID != s.TaskID || now.Generation != s.Generation {
			return false, nil // something newer is wanted
		}
		now.Fault, now.TaskID = fault, ""
		now.Observed.State, now.Observed.Fault = set.StateFailed, fault
		now.Observed.Generation, now.Observed.Epoch = s.Generation, s.Epoch
		if fresh {
			for _, a := range now.Addresses {
				ipam.Release(t, a)
			}
			now.Host, now.Addresses, now.Observed.Containers = "", nil, nil
		}
		committed, err = c.endTask(c.ctx, s.TaskID, fault, t)
		return err == nil, err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && committed == nil {
		return nil
	}
	if err != nil {
		return err
	}
	if fresh {
		c.ledger.Release(s.ID)
		c.removeStale(host, s.ID, epoch)
	}
	c.forgetToken(s.ID)
	committed()
	return nil
}

// placedBy says whether a task gave its server the host it is on: if it fails the host is given back.
func placedBy(t set.Task) bool {
	for _, s := range t.Steps {
		if s.Name == stepSchedule {
			return true
		}
	}
	return false
}
