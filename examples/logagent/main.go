// Command logagent is a sidecar: it follows every *.log file in $LOG_DIR, copies their lines to standard
// output and says how many there were when it is told to stop.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	dir := os.Getenv("LOG_DIR")
	if dir == "" {
		dir = "/var/log/app"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := tail{dir: dir, out: os.Stdout, read: map[string]int64{}}
	t.follow(ctx, 100*time.Millisecond)
	fmt.Printf("logagent: %d lines\n", t.lines)
}

// tail remembers how far it has read each file.
type tail struct {
	dir   string
	out   io.Writer
	read  map[string]int64
	lines int
}

// follow looks for new lines until ctx ends. It polls: the directory is shared and may not exist yet.
func (t *tail) follow(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		files, _ := filepath.Glob(filepath.Join(t.dir, "*.log")) // fails for a malformed pattern only
		for _, f := range files {
			if err := t.copyNew(f); err != nil {
				fmt.Fprintf(os.Stderr, "logagent: %v\n", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// copyNew copies the whole lines that came since the last time; a file that shrank starts again.
func (t *tail) copyNew(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() < t.read[name] {
		t.read[name] = 0
	}
	data, err := io.ReadAll(io.NewSectionReader(f, t.read[name], 1<<20))
	if err != nil {
		return err
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	t.read[name] += int64(len(data))
	t.lines += bytes.Count(data, []byte{'\n'})
	_, err = t.out.Write(data)
	return err
}
