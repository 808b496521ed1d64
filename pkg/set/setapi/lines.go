package setapi

import (
	"net/http"
	"sync"
	"time"

	"github.com/moset/moset/internal/httpjson"
	"github.com/moset/moset/pkg/set"
)

// lineWriter sends JSON lines as they come and a blank line when none came for a heartbeat.
type lineWriter struct {
	mu   sync.Mutex // writers: the watch and the heartbeat
	w    http.ResponseWriter
	rc   *http.ResponseController
	quit chan struct{}
	idle sync.WaitGroup
}

func newLineWriter(w http.ResponseWriter) *lineWriter {
	l := &lineWriter{w: w, rc: http.NewResponseController(w), quit: make(chan struct{})}
	_ = l.rc.SetWriteDeadline(time.Time{}) // a stream outlives the server's timeout for answers
	w.Header().Set("Content-Type", "application/jsonlines")
	_ = l.write([]byte("\n"))
	l.idle.Go(l.beat)
	return l
}

func (l *lineWriter) beat() {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = l.write([]byte("\n"))
		case <-l.quit:
			return
		}
	}
}

func (l *lineWriter) stop() {
	close(l.quit)
	l.idle.Wait()
}

func (l *lineWriter) line(o set.Observation) error {
	return l.write(encodeLine(watchLine{Observation: &o}))
}

func (l *lineWriter) fail(err error) {
	_, code := StatusOf(err)
	_ = l.write(encodeLine(watchLine{Error: &httpjson.ErrorDetail{Code: code, Message: err.Error()}}))
}

func (l *lineWriter) write(b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(b); err != nil {
		return err
	}
	return l.rc.Flush()
}
