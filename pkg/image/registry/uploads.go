package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/moset/moset/pkg/image"
)

// uploads are the sessions open in this process; a restart ends them and clients begin again.
type uploads struct {
	mu    sync.Mutex
	open  map[string]*session
	ttl   time.Duration
	limit int
	name  func(random string) string
	log   *slog.Logger
}

func (u *uploads) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.open)
}

// session is one upload across its requests.
type session struct {
	id, repo, projectID string
	up                  image.Upload
	size                int64      // bytes taken
	busy                sync.Mutex // held by the request that works on it
	idle                *time.Timer
	used                time.Time // when it was last released
}

var errManyUploads = errorf(http.StatusTooManyRequests, codeTooMany, "too many uploads are open, try again soon")

// lively counts the uploads that a request works on, or did so lately.
func (u *uploads) lively(lately time.Duration) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, s := range u.open {
		if !s.busy.TryLock() {
			n++
			continue
		}
		if time.Since(s.used) < lately {
			n++
		}
		s.busy.Unlock()
	}
	return n
}

// add starts the session of an upload; it is busy until released.
func (u *uploads) add(repo, projectID string, up image.Upload) (*session, error) {
	s := &session{id: u.name(rand.Text()), repo: repo, projectID: projectID, up: up}
	s.busy.Lock()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.open) >= u.limit {
		return nil, errManyUploads
	}
	u.open[s.id] = s
	return s, nil
}

// take finds a session of the caller's and makes it busy.
func (u *uploads) take(id, repo, projectID string) (*session, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.open[id]
	if s == nil || s.repo != repo || s.projectID != projectID {
		return nil, errorf(http.StatusNotFound, codeUploadUnknown, "there is no such upload, start again")
	}
	if !s.busy.TryLock() {
		return nil, errorf(http.StatusConflict, codeUploadInvalid, "another request of this upload is still running")
	}
	if s.idle != nil {
		s.idle.Stop()
	}
	return s, nil
}

// release lets the next request have the session, or nobody for the time to live.
func (u *uploads) release(s *session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s.used = time.Now()
	s.busy.Unlock()
	s.idle = time.AfterFunc(u.ttl, func() { u.expire(s) })
}

func (u *uploads) expire(s *session) {
	u.mu.Lock()
	free := s.busy.TryLock()
	_, open := u.open[s.id]
	if free && open {
		delete(u.open, s.id)
	}
	u.mu.Unlock()
	if !free {
		return // a request came at the last moment
	}
	if open {
		u.abort(s)
	}
}

// remove forgets a busy session that has ended or is to be aborted.
func (u *uploads) remove(s *session) {
	u.mu.Lock()
	delete(u.open, s.id)
	u.mu.Unlock()
}

func (u *uploads) abort(s *session) {
	if err := s.up.Abort(context.Background()); err != nil {
		u.log.Warn("a broken upload was not removed from the store", "repository", s.repo, "error", err)
	}
}

// closeAll aborts what is open, also under a running request.
func (u *uploads) closeAll() error {
	u.mu.Lock()
	open := u.open
	u.open = map[string]*session{}
	u.mu.Unlock()
	var errs []error
	for _, s := range open {
		errs = append(errs, s.up.Abort(context.Background()))
	}
	return errors.Join(errs...)
}
