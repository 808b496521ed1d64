package glance

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
)

// batch is how many bytes go to Glance at once: it works through a large piece with less effort than through many as
// small as a client sends them.
const batch = 256 << 10

// createTimeout bounds the making of a record, which an upload that is broken off waits for.
const createTimeout = 30 * time.Second

// stream is a payload on its way into a new record: what is written to it goes into an open Glance PUT.
type stream struct {
	store  *Store
	opts   newRecordOpts
	buffer *bufio.Writer // before pipe
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
	st := &stream{store: s, opts: o, buffer: bufio.NewWriterSize(w, batch), pipe: w, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(st.done)
		st.err = st.put(ctx, io.MultiReader(head, r))
		r.CloseWithError(st.err)
	}()
	return st
}

func (st *stream) put(ctx context.Context, payload io.Reader) error {
	// To its end: of a request that is broken off nobody knows whether its record will be there.
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	if _, err := st.store.createNew(whole, st.opts); err != nil {
		return err
	}
	st.made = true
	return wrap("upload", st.opts.id, imagedata.Upload(ctx, st.store.client, st.opts.id, payload).ExtractErr())
}

// Write implements io.Writer: it returns when all but the last batch is with Glance.
func (st *stream) Write(b []byte) (int, error) {
	n, err := st.buffer.Write(b)
	return n, st.why(err)
}

// why is the reason of an error in writing.
func (st *stream) why(err error) error {
	if errors.Is(err, io.ErrClosedPipe) { // the PUT has ended and its connection does not say why
		<-st.done
		err = cmp.Or(st.err, err)
	}
	return err
}

// wait ends the payload and returns when Glance has it, or when ctx ends.
func (st *stream) wait(ctx context.Context) error {
	go func() { // Glance may take nothing more
		st.pipe.CloseWithError(st.buffer.Flush())
	}()
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
