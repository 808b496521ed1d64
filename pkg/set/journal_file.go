package set

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// FileJournal is a Journal with one file for each server, durable when Save returns. One process at a
// time may have it open.
type FileJournal struct {
	dir  string
	lock *os.File
}

const (
	journalSuffix = ".json"
	unfinished    = ".new-" // no id begins with a dot
)

// OpenFileJournal opens the journal in dir, which is made if missing. Errors: ErrConflict when another
// process has it open.
func OpenFileJournal(dir string) (*FileJournal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: another process uses the journal in %s; stop it or choose another state directory", ErrConflict, dir), lock.Close())
	}
	return &FileJournal{dir: dir, lock: lock}, nil
}

// Close lets another process open the journal.
func (j *FileJournal) Close() error { return j.lock.Close() }

// Save implements Journal: the record is on disk, whole or as it was before.
func (j *FileJournal) Save(r Record) error {
	r.Assignment.PullToken = ""
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := j.replace(r.Assignment.ServerID, b); err != nil {
		return fmt.Errorf("%w: journal: %w", ErrUnavailable, err)
	}
	return nil
}

func (j *FileJournal) replace(id string, b []byte) error {
	tmp, err := os.CreateTemp(j.dir, unfinished+"*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), j.path(id))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return j.syncDir()
}

// Delete implements Journal. Nil when there is no such record.
func (j *FileJournal) Delete(serverID string) error {
	err := os.Remove(j.path(serverID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = j.syncDir()
	}
	if err != nil {
		return fmt.Errorf("%w: journal: %w", ErrUnavailable, err)
	}
	return nil
}

// Load implements Journal. A file that cannot be read is set aside as *.damaged and named in the error,
// which comes with all other records.
func (j *FileJournal) Load() ([]Record, error) {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var records []Record
	var damaged error
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), unfinished): // a Save that did not finish
			_ = os.Remove(filepath.Join(j.dir, e.Name()))
		case strings.HasSuffix(e.Name(), journalSuffix):
			r, err := j.read(e.Name())
			if err != nil {
				damaged = errors.Join(damaged, err)
				continue
			}
			records = append(records, r)
		}
	}
	return records, damaged
}

func (j *FileJournal) read(name string) (Record, error) {
	var r Record
	file := filepath.Join(j.dir, name)
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err == nil && j.path(r.Assignment.ServerID) != file {
		err = fmt.Errorf("it names server %q", r.Assignment.ServerID)
	}
	if err != nil {
		aside := file + ".damaged"
		return r, errors.Join(fmt.Errorf("journal: %s cannot be read and was set aside as %s: %w", file, aside, err), os.Rename(file, aside))
	}
	return r, nil
}

// path of a record. Ids are checked by Assignment.Validate; Base keeps a hand-made one inside dir.
func (j *FileJournal) path(id string) string {
	return filepath.Join(j.dir, filepath.Base(id)+journalSuffix)
}

func (j *FileJournal) syncDir() error {
	d, err := os.Open(j.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
