package glance

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
)

// stream is a payload on its way into a new record: what is written to it goes straight into an open Glance PUT.
type stream struct {
	store  *Store
	opts   newRecordOpts
	pipe   *io.PipeWriter
	cancel context.CancelFunc

	done chan struct{} // closed when the PUT has ended
	made bool          // there is a record; read after done
	err  error         // read after done
}

// startStream makes the record and sends head while more is written. It ends with ctx.
func (s *Store) startStream(ctx context.Context, o newRecordOpts, head io.Reader) *stream {
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	st := &stream{store: s, opts: o, pipe: w, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(st.done)
		st.err = st.put(ctx, io.MultiReader(head, r))
		r.CloseWithError(st.err)
	}()
	return st
}

func (st *stream) put(ctx context.Context, payload io.Reader) error {
	if _, err := st.store.createNew(ctx, st.opts); err != nil {
		return err
	}
	st.made = true
	return wrap("upload", st.opts.id, imagedata.Upload(ctx, st.store.client, st.opts.id, payload).ExtractErr())
}

// Write implements io.Writer: it returns when Glance has taken the bytes.
func (st *stream) Write(b []byte) (int, error) {
	n, err := st.pipe.Write(b)
	if errors.Is(err, io.ErrClosedPipe) { // the PUT has ended and its connection does not say why
		<-st.done
		err = cmp.Or(st.err, err)
	}
	return n, err
}

// wait ends the payload and returns when Glance has it, or when ctx ends.
func (st *stream) wait(ctx context.Context) error {
	st.pipe.Close()
	select {
	case <-st.done:
	case <-ctx.Done():
		st.cancel()
		<-st.done
	}
	return st.err
}

// abort breaks the payload off and removes its record.
func (st *stream) abort(ctx context.Context) error {
	st.pipe.CloseWithError(context.Canceled)
	st.cancel()
	<-st.done
	if !st.made {
		return nil
	}
	return st.store.remove(ctx, st.opts.id, st.opts.protected)
}
