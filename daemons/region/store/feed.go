package store

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
)

// Feed hands changes to watchers; stores embed it. Its zero value is ready.
type Feed struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

type watcher struct {
	prefix string
	ch     chan []Change
}

// backlog is how many commits a watcher may lie behind.
const backlog = 4096

// Publish hands the changes of one commit to every watcher; calls are made in order of revision.
func (f *Feed) Publish(changes []Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		select {
		case w.ch <- changes:
		default: // it cannot keep up: it is told so and starts again
			close(w.ch)
			delete(f.watchers, w)
		}
	}
}

// Watch implements Store.Watch. It is subscribed from the call on, before the first change is asked for.
func (f *Feed) Watch(ctx context.Context, prefix string) iter.Seq2[Change, error] {
	w := &watcher{prefix: prefix, ch: make(chan []Change, backlog)}
	f.mu.Lock()
	if f.watchers == nil {
		f.watchers = map[*watcher]struct{}{}
	}
	f.watchers[w] = struct{}{}
	f.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { f.drop(w) })
	return func(yield func(Change, error) bool) {
		defer stop()
		defer f.drop(w)
		for {
			select {
			case <-ctx.Done():
				return
			case changes, ok := <-w.ch:
				if !ok {
					yield(Change{}, fmt.Errorf("%w: the watcher fell behind, list again", ErrConflict))
					return
				}
				if !w.each(changes, yield) {
					return
				}
			}
		}
	}
}

func (f *Feed) drop(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
}

func (w *watcher) each(changes []Change, yield func(Change, error) bool) bool {
	for _, c := range changes {
		if strings.HasPrefix(c.Key, w.prefix) && !yield(c, nil) {
			return false
		}
	}
	return true
}

// Changes are the changes of a Txn that was given a revision.
func (t Txn) Changes(revision uint64) []Change {
	var list []Change
	for _, p := range t.Puts {
		list = append(list, Change{Item: Item{Key: p.Key, Value: p.Value, Revision: revision}})
	}
	for _, k := range t.Deletes {
		list = append(list, Change{Item: Item{Key: k, Revision: revision}, Deleted: true})
	}
	return list
}
