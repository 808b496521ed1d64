// Command logagent is the sidecar of the demo's set: it prints every new line of every *.log file in the
// folder LOG_DIR (default /var/log/app), which it shares with the app.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const pollEvery = 100 * time.Millisecond

func main() {
	t := tailer{dir: cmp.Or(os.Getenv("LOG_DIR"), "/var/log/app"), offsets: map[string]int64{}}
	for ; ; time.Sleep(pollEvery) {
		if err := t.poll(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "logagent:", err)
		}
	}
}

// tailer remembers how far each file has been printed.
type tailer struct {
	dir     string
	offsets map[string]int64
}

// poll prints the whole lines that were added since the last poll.
func (t tailer) poll(out io.Writer) error {
	files, err := filepath.Glob(filepath.Join(t.dir, "*.log"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := t.pollFile(file, out); err != nil {
			return err
		}
	}
	return nil
}

func (t tailer) pollFile(name string, out io.Writer) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < t.offsets[name] {
		t.offsets[name] = 0 // the file was cut or replaced: it starts again
	}
	added, err := io.ReadAll(io.NewSectionReader(file, t.offsets[name], 1<<20))
	if err != nil {
		return err
	}
	whole := added[:bytes.LastIndexByte(added, '\n')+1]
	t.offsets[name] += int64(len(whole))
	_, err = out.Write(whole)
	return err
}
