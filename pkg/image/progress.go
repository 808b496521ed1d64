package image

import (
	"io"

	"github.com/opencontainers/go-digest"
)

// Event says how far the transfer of one blob is.
type Event struct {
	Repo   string
	Digest digest.Digest // "" while an upload's digest is not known yet
	Done   int64         // bytes so far
	Total  int64         // bytes in all; 0 when not known
}

// Progress is told of every piece of a transfer, from the goroutine that moves it; it must return soon.
type Progress func(Event)

// Track returns r with p being told of every read, as e with Done counted up from its value. A nil p costs nothing.
func Track(r io.Reader, e Event, p Progress) io.Reader {
	if p == nil {
		return r
	}
	return &tracker{r: r, e: e, p: p}
}

type tracker struct {
	r io.Reader
	e Event
	p Progress
}

func (t *tracker) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	if n > 0 {
		t.e.Done += int64(n)
		t.p(t.e)
	}
	return n, err
}
