package main

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
)

// layer is made of a seed, so that it can be written again: one file of random bytes, which no compression makes
// smaller. No two seeds are the same, so no registry has seen the bytes before.
type layer struct {
	seed [32]byte
	size int64         // bytes of the file
	diff digest.Digest // of its tar
}

func newLayer(size int64) (layer, error) {
	l := layer{size: size}
	for i := range l.seed {
		l.seed[i] = byte(rand.Uint32())
	}
	sum := digest.Canonical.Digester()
	err := l.write(sum.Hash())
	l.diff = sum.Digest()
	return l, err
}

// tarSize is the bytes of the layer's tar: the file, filled up to a block, its header and the two blocks of the end.
func (l layer) tarSize() int64 { return (l.size+511)/512*512 + 3*512 }

func (l layer) write(w io.Writer) error {
	t := tar.NewWriter(w)
	if err := t.WriteHeader(&tar.Header{Name: fmt.Sprintf("part-%x", l.seed[:8]), Mode: 0o644, Size: l.size}); err != nil {
		return err
	}
	if _, err := io.CopyN(t, rand.NewChaCha8(l.seed), l.size); err != nil {
		return err
	}
	return t.Close()
}

// newLayers makes n of them.
func newLayers(n int, size int64) ([]layer, error) {
	layers := make([]layer, n)
	for i := range layers {
		var err error
		if layers[i], err = newLayer(size); err != nil {
			return nil, err
		}
	}
	return layers, nil
}

// writeArchive writes an image as docker save would have, and returns the file and the image's id.
func writeArchive(dir, name string, layers []layer) (file, id string, err error) {
	file = filepath.Join(dir, "image.tar")
	f, err := os.Create(file)
	if err != nil {
		return "", "", err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	id, err = archiveTo(tar.NewWriter(out), name, layers)
	return file, id, errors.Join(err, out.Flush(), f.Close())
}

func archiveTo(t *tar.Writer, name string, layers []layer) (id string, err error) {
	diffs, files := make([]digest.Digest, len(layers)), make([]string, len(layers))
	for i, l := range layers {
		diffs[i], files[i] = l.diff, l.diff.Encoded()+"/layer.tar"
		if err := t.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: l.tarSize()}); err != nil {
			return "", err
		}
		if err := l.write(t); err != nil {
			return "", err
		}
	}
	config, err := json.Marshal(map[string]any{"architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
		"config": map[string]any{}, "rootfs": map[string]any{"type": "layers", "diff_ids": diffs}})
	if err != nil {
		return "", err
	}
	id = digest.FromBytes(config).String()
	list, err := json.Marshal([]any{map[string]any{"Config": "config.json", "RepoTags": []string{name}, "Layers": files}})
	return id, errors.Join(err, small(t, "config.json", config), small(t, "manifest.json", list), t.Close())
}

func small(t *tar.Writer, name string, body []byte) error {
	err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(body))})
	if err == nil {
		_, err = t.Write(body)
	}
	return err
}
