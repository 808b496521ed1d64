// Package sqlite is a store.Store in one file: write-ahead log, synchronous FULL, and one writer that puts
// the transactions that wait for it into one commit of the database, so that a burst pays for few fsyncs.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/moset/moset/daemons/region/store"
)

// Store implements store.Store.
type Store struct {
	store.Feed
	db       *sql.DB
	lock     *os.File
	requests chan *request
	quit     chan struct{}
	once     sync.Once
	done     sync.WaitGroup
	revision uint64 // the writer's
}

var _ store.Store = (*Store)(nil)

const schema = `
CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES ('revision', 0);`

// Open opens or makes the database file. One process at a time may have it open: a second one gets
// ErrUnavailable.
func Open(file string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	lock, err := lockFile(file + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{lock: lock, requests: make(chan *request), quit: make(chan struct{})}
	if err := s.open(file); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s cannot be opened: move it away or bring back a copy: %w", store.ErrUnavailable, file, err), lock.Close())
	}
	s.done.Go(s.write)
	return s, nil
}

func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: another region has %s open; stop it or choose another state directory", store.ErrUnavailable, name), f.Close())
	}
	return f, nil
}

func (s *Store) open(file string) error {
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(),
		RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return err
	}
	if _, err := db.Exec(schema); err != nil {
		return errors.Join(err, db.Close())
	}
	if err := db.QueryRow(`SELECT value FROM meta WHERE name = 'revision'`).Scan(&s.revision); err != nil {
		return errors.Join(err, db.Close())
	}
	s.db = db
	return nil
}

// Close implements store.Store: commits under way end first.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.quit)
		s.done.Wait()
		err = errors.Join(s.db.Close(), s.lock.Close())
	})
	return err
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (store.Item, error) {
	i := store.Item{Key: key}
	err := s.db.QueryRowContext(ctx, `SELECT value, revision FROM records WHERE key = ?`, key).Scan(&i.Value, &i.Revision)
	if errors.Is(err, sql.ErrNoRows) {
		return i, store.ErrNotFound
	}
	return i, translate(err)
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]store.Item, error) {
	if limit <= 0 {
		limit = -1
	}
	rows, err := s.db.QueryContext(ctx, `SELECT key, value, revision FROM records WHERE key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`,
		after, prefix, prefix+"\xff", limit)
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close()
	var list []store.Item
	for rows.Next() {
		var i store.Item
		if err := rows.Scan(&i.Key, &i.Value, &i.Revision); err != nil {
			return nil, translate(err)
		}
		list = append(list, i)
	}
	return list, translate(rows.Err())
}

func translate(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	advice := ""
	if strings.Contains(err.Error(), "(13)") || errors.Is(err, syscall.ENOSPC) { // SQLITE_FULL
		advice = ": make room on its disk"
	}
	return fmt.Errorf("%w%s: %w", store.ErrUnavailable, advice, err)
}
