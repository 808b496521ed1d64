package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/moset/moset/daemons/region/store"
)

// request is one Commit that waits for the writer.
type request struct {
	txn      store.Txn
	revision uint64
	err      error
	done     chan struct{}
}

// maxGroup bounds how many transactions share one commit of the database.
const maxGroup = 256

// Commit implements store.Store. Once the writer has taken it, it is done whether or not ctx ends.
func (s *Store) Commit(ctx context.Context, t store.Txn) (uint64, error) {
	r := &request{txn: t, done: make(chan struct{})}
	select {
	case s.requests <- r:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-s.quit:
		return 0, store.ErrUnavailable
	}
	<-r.done
	return r.revision, r.err
}

// write is the one writer: it takes whatever waits, and commits it together.
func (s *Store) write() {
	for {
		select {
		case <-s.quit:
			return
		case r := <-s.requests:
			s.commit(s.gather([]*request{r}))
		}
	}
}

func (s *Store) gather(group []*request) []*request {
	for len(group) < maxGroup {
		select {
		case r := <-s.requests:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// commit ends every request of a group. When the database refuses the group, each is tried alone: one that
// cannot be written must not take the others with it.
func (s *Store) commit(group []*request) {
	before := s.revision
	err := s.commitGroup(group)
	if err != nil {
		s.revision = before
	}
	if err != nil && len(group) > 1 {
		for _, r := range group {
			r.revision, r.err = 0, nil
			s.commit([]*request{r})
		}
		return
	}
	for _, r := range group {
		if err != nil {
			r.revision, r.err = 0, translate(err)
		}
		if r.err == nil {
			s.Publish(r.txn.Changes(r.revision))
		}
		close(r.done)
	}
}

func (s *Store) commitGroup(group []*request) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	for _, r := range group {
		if r.err = check(tx, r.txn.Checks); errors.Is(r.err, store.ErrConflict) {
			continue // changes nothing: the others go on
		}
		if r.err == nil {
			s.revision++
			r.revision = s.revision
			r.err = apply(tx, r.txn, r.revision)
		}
		if r.err != nil {
			return errors.Join(r.err, tx.Rollback())
		}
	}
	if _, err := tx.Exec(`UPDATE meta SET value = ? WHERE name = 'revision'`, s.revision); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func check(tx *sql.Tx, checks []store.Check) error {
	for _, c := range checks {
		var revision uint64
		err := tx.QueryRow(`SELECT revision FROM records WHERE key = ?`, c.Key).Scan(&revision)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if revision != c.Revision {
			return &store.ConflictError{Key: c.Key}
		}
	}
	return nil
}

func apply(tx *sql.Tx, t store.Txn, revision uint64) error {
	for _, p := range t.Puts {
		if p.Value == nil {
			p.Value = []byte{} // nil would be SQL's NULL
		}
		if _, err := tx.Exec(`INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision`, p.Key, p.Value, revision); err != nil {
			return err
		}
	}
	for _, k := range t.Deletes {
		if _, err := tx.Exec(`DELETE FROM records WHERE key = ?`, k); err != nil {
			return err
		}
	}
	return nil
}
