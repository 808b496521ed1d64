package imagetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// disk keeps records as <dir>/records/<id>.json, payloads as <dir>/payloads/<id>, and the ids of deleted images as
// empty files in <dir>/deleted. Every file is written beside its place and renamed. Without dir, memory does.
type disk struct{ dir string }

func (d disk) path(kind, name string) string { return filepath.Join(d.dir, kind, name) }

// load reads what an earlier box left. Uploads that it had open are queued again.
func (g *Glance) load() error {
	if g.disk.dir == "" {
		return nil
	}
	for _, kind := range []string{"records", "payloads", "deleted", "incoming"} {
		if err := os.MkdirAll(g.disk.path(kind, ""), 0o700); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(g.disk.path("incoming", "")); err != nil {
		return err
	}
	if err := os.Mkdir(g.disk.path("incoming", ""), 0o700); err != nil {
		return err
	}
	deleted, err := os.ReadDir(g.disk.path("deleted", ""))
	if err != nil {
		return err
	}
	for _, e := range deleted {
		g.used[e.Name()] = true
	}
	return g.loadRecords()
}

func (g *Glance) loadRecords() error {
	names, err := filepath.Glob(g.disk.path("records", "*.json"))
	if err != nil {
		return err
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		i := &glanceImage{Props: map[string]string{}}
		if err := json.Unmarshal(raw, i); err != nil {
			return err
		}
		if i.Status == "saving" {
			i.Status = "queued"
		}
		if !g.used[i.ID] {
			g.records[i.ID] = i
		}
	}
	return nil
}

// nextSeq numbers images in the order of their creation; g.mu is held.
func (g *Glance) nextSeq() int64 {
	var last int64
	for _, i := range g.records {
		last = max(last, i.Seq)
	}
	return last + 1
}

// keep puts a record in its new state, on disk first; g.mu is held.
func (g *Glance) keep(i *glanceImage) error {
	if g.disk.dir != "" {
		raw, err := json.Marshal(i)
		if err != nil {
			return err
		}
		if err := g.disk.write("records", i.ID+".json", raw); err != nil {
			return err
		}
	}
	g.records[i.ID] = i
	return nil
}

// drop deletes a record for good; g.mu is held.
func (g *Glance) drop(i *glanceImage) error {
	if g.disk.dir != "" {
		if err := g.disk.write("deleted", i.ID, nil); err != nil {
			return err
		}
		for _, name := range []string{g.disk.path("records", i.ID+".json"), g.disk.path("payloads", i.ID)} {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	delete(g.records, i.ID)
	g.used[i.ID] = true
	return nil
}

func (d disk) write(kind, name string, data []byte) error {
	f, err := os.CreateTemp(d.path("incoming", ""), name)
	if err != nil {
		return err
	}
	in := &incoming{file: f, disk: d}
	defer in.discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return in.rename(kind, name)
}

// incoming is a payload on its way.
type incoming struct {
	disk disk
	file *os.File // nil: memory
	mem  bytes.Buffer
}

func (d disk) receive() (*incoming, error) {
	in := &incoming{disk: d}
	if d.dir == "" {
		return in, nil
	}
	f, err := os.CreateTemp(d.path("incoming", ""), "payload")
	in.file = f
	return in, err
}

func (in *incoming) Write(p []byte) (int, error) {
	if in.file == nil {
		return in.mem.Write(p)
	}
	return in.file.Write(p)
}

// commit gives the payload its place; without a directory it returns the bytes.
func (in *incoming) commit(id string) ([]byte, error) {
	if in.file == nil {
		return in.mem.Bytes(), nil
	}
	return nil, in.rename("payloads", id)
}

func (in *incoming) rename(kind, name string) error {
	if err := in.file.Sync(); err != nil {
		return err
	}
	if err := in.file.Close(); err != nil {
		return err
	}
	return os.Rename(in.file.Name(), in.disk.path(kind, name))
}

// discard removes what was not committed.
func (in *incoming) discard() {
	if in.file != nil {
		in.file.Close()
		os.Remove(in.file.Name())
	}
}

func (d disk) open(i *glanceImage) (io.ReadSeekCloser, error) {
	if d.dir != "" {
		return os.Open(d.path("payloads", i.ID))
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(i.payload), io.NopCloser(nil)}, nil
}
