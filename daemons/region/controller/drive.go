package controller

import (
	"context"
	"errors"
	"time"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// driver repeats a step until nothing is left to do: for a server, telling its host what is wanted until the
// host has taken it over; for a service, making and deleting servers.
type driver struct {
	step func() error
	wake chan struct{}
}

// The waits between tries to tell a host.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// drive wakes the server's driver, or starts one.
func (c *Controller) drive(id string) { c.driveBy(id, func() error { return c.step(id) }) }

func (c *Controller) driveBy(id string, step func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.drivers[id]; ok {
		d.poke()
		return
	}
	if c.ctx.Err() != nil {
		return
	}
	d := &driver{step: step, wake: make(chan struct{}, 1)}
	c.drivers[id] = d
	c.work.Go(func() { c.run(id, d) })
}

func (d *driver) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// retryHost wakes the drivers that wait for a host, which is heard of again.
func (c *Controller) retryHost(host string) {
	claims := c.ledger.Claims()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, claim := range claims {
		if d, ok := c.drivers[claim.SetID]; ok && claim.HostID == host {
			d.poke()
		}
	}
}

func (c *Controller) run(id string, d *driver) {
	wait := firstRetry
	for {
		err := d.step()
		if err == nil {
			if c.rest(id, d) {
				return
			}
			wait = firstRetry
			continue
		}
		if c.ctx.Err() == nil {
			c.cfg.Logger.Warn("a step failed, will try again", "of", id, "in", wait, "error", err)
		}
		woken, ok := c.pause(wait, d.wake)
		if !ok {
			return
		}
		if wait = min(2*wait, lastRetry); woken {
			wait = firstRetry
		}
	}
}

// rest ends a driver that has nothing more to tell.
func (c *Controller) rest(id string, d *driver) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-d.wake:
		return c.ctx.Err() != nil
	default:
		delete(c.drivers, id)
		return true
	}
}

// pause waits, until it is woken at the most; not ok means that the region ends.
func (c *Controller) pause(d time.Duration, wake <-chan struct{}) (woken, ok bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return false, true
	case <-wake:
		return true, true
	case <-c.ctx.Done():
		return false, false
	}
}

// step tells the host once. A nil error means that nothing is left to tell, also because the server was removed
// meanwhile.
func (c *Controller) step(id string) error {
	err := c.tell(id)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if _, _, gone := get[set.Server](c.ctx, c.cfg.Store, serverKey(id)); errors.Is(gone, store.ErrNotFound) {
		return nil
	}
	return err
}

func (c *Controller) tell(id string) error {
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
	case errors.Is(err, set.ErrConflict) && leaving(c.ctx, agent, s.ID):
		return err // an earlier life of it is still being removed there
	case errors.Is(err, set.ErrInvalid), errors.Is(err, set.ErrConflict), errors.Is(err, set.ErrStaleEpoch):
		return c.giveUp(s, set.NewFault(err, time.Now().UTC()))
	}
	return err
}

// leaving says whether the host is removing the server just now.
func leaving(ctx context.Context, agent set.Agent, id string) bool {
	list, err := agent.Observe(ctx, id)
	return err == nil && len(list) == 1 && (list[0].State == set.StateDeleting || list[0].State == set.StateDeleted)
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
		if fresh { // no host has it any more, so nobody else will say what became of it
			for _, a := range now.Addresses {
				ipam.Release(t, a)
			}
			now.Host, now.Addresses = "", nil
			now.Observed = set.Observed{State: set.StateFailed, Generation: s.Generation, Epoch: s.Epoch, Fault: fault, At: fault.At}
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
	c.driveService(s.ServiceID)
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
