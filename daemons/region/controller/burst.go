package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/moset/moset/daemons/region/ipam"
	"github.com/moset/moset/daemons/region/store"
	"github.com/moset/moset/pkg/set"
)

// burst is one or many servers alike that are reserved together: one plan, one transaction.
type burst struct {
	model   set.Server // all but id, name, time, host and address
	names   []string
	network ipam.Network
	whole   bool       // all of them or none
	key     string     // idempotency key, for the tasks
	steps   []set.Step // done before
	once    once
}

// member is one server of a burst: what was written, or why it was refused.
type member struct {
	server set.Server
	task   set.Task
	err    error
}

// burst reserves hosts, names and addresses, writes servers and tasks, and begins the work. A refusal of one
// member is in it; the error is about all of them.
func (t tenant) burst(ctx context.Context, b burst) ([]member, error) {
	for range 100 {
		members, err := t.reserve(ctx, b)
		var conflict *store.ConflictError
		switch {
		case err == nil:
			for _, m := range members {
				if m.err == nil {
					t.c.begin(m.server, m.task, t.who.Token)
				}
			}
			return members, nil
		case !errors.As(err, &conflict):
			return nil, unavailable(err)
		case conflict.Key == b.once.key():
			return nil, fmt.Errorf("%w: the same request came twice at once", set.ErrConflict) // the caller looks the other up
		}
		// A name or an address was taken a moment ago: the next try sees it.
	}
	return nil, fmt.Errorf("%w: too many creates at once, try again", set.ErrUnavailable)
}

// reserve tries once. What it took from the ledger it gives back unless it returns without an error.
func (t tenant) reserve(ctx context.Context, b burst) ([]member, error) {
	members, err := t.members(ctx, b)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := t.schedule(ctx, b, members); err != nil {
		return nil, err
	}
	var txn store.Txn
	for i := range members {
		if m := &members[i]; m.err == nil {
			if m.err = t.address(ctx, b, m, &txn); m.err == nil {
				admit(&txn, m, begun)
			}
		}
	}
	err = b.refusal(members)
	if err == nil {
		b.once.record(&txn, members...)
		_, err = t.c.cfg.Store.Commit(ctx, txn)
	}
	if err != nil {
		for _, m := range members {
			t.c.ledger.Release(m.server.ID)
		}
	}
	return members, err
}

// refusal is the error of the burst as a whole, if its members' are that.
func (b burst) refusal(members []member) error {
	refused := slices.IndexFunc(members, func(m member) bool { return m.err != nil })
	if refused < 0 || !b.whole && slices.ContainsFunc(members, func(m member) bool { return m.err == nil }) {
		return nil
	}
	return members[refused].err
}

// members gives every name its server and task, or the reason why the name cannot be had.
func (t tenant) members(ctx context.Context, b burst) ([]member, error) {
	members := make([]member, len(b.names))
	now := time.Now().UTC()
	for i, name := range b.names {
		s := b.model
		// The order of creation is that of the names.
		s.ID, s.Name, s.CreatedAt, s.UpdatedAt = uuid.NewString(), name, now.Add(time.Duration(i)), now
		members[i] = member{server: s, task: t.newTask(set.VerbCreate, s, b.key)}
		members[i].task.Steps = slices.Clone(b.steps)
		_, err := t.c.cfg.Store.Get(ctx, nameKey(t.who.ProjectID, name))
		switch {
		case err == nil:
			members[i].err = nameTaken(name)
		case !errors.Is(err, store.ErrNotFound):
			return nil, unavailable(err)
		}
	}
	return members, b.early(members)
}

// early spares a burst that is refused anyway the plan.
func (b burst) early(members []member) error {
	if len(members) == 1 && members[0].err != nil {
		return members[0].err
	}
	if b.whole {
		return b.refusal(members)
	}
	return nil
}

// schedule gives every member that is left a host.
func (t tenant) schedule(ctx context.Context, b burst, members []member) error {
	var ids []string
	for _, m := range members {
		if m.err == nil {
			ids = append(ids, m.server.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	hosts, why, err := t.c.place(ctx, b.model, ids, b.whole)
	if err != nil {
		return err
	}
	for i := range members {
		m := &members[i]
		if m.err != nil {
			continue
		}
		if m.server.Host = hosts[m.server.ID]; m.server.Host == "" {
			m.err = why
		}
		m.server.Epoch = 1
	}
	return nil
}

// address gives a member its address, or its host back.
func (t tenant) address(ctx context.Context, b burst, m *member, txn *store.Txn) error {
	a, err := t.c.cfg.Networks.Allocate(ctx, txn, b.network, m.server.ID, networkRequest(m.server.Spec))
	if err != nil {
		t.c.ledger.Release(m.server.ID)
		return err
	}
	m.server.Addresses = []set.Address{a}
	return nil
}

// admit adds a server and its task to the Txn.
func admit(txn *store.Txn, m *member, begun time.Time) {
	s := &m.server
	s.TaskID = m.task.ID
	m.task.Steps = append(m.task.Steps, set.Step{Name: stepSchedule, State: set.StepDone, Message: "host " + s.Host, StartedAt: begun, EndedAt: time.Now()})
	txn.Expect(serverKey(s.ID), 0)
	txn.Put(serverKey(s.ID), encode(*s))
	txn.Expect(nameKey(s.ProjectID, s.Name), 0)
	txn.Put(nameKey(s.ProjectID, s.Name), []byte(s.ID))
	txn.Put(orderKey(*s), []byte(s.ID))
	if s.ServiceID != "" {
		txn.Put(replicaKey(s.ServiceID, s.ID), nil)
	}
	txn.Put(taskKey(m.task.ID), encode(m.task))
}
