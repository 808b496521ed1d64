package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/containerd/errdefs"

	"github.com/moset/moset/pkg/set"
)

// pauseCode is the machine code of pause/pause.s.
//
//go:embed pause/pause_amd64.bin
var pauseCode []byte

// pauseSeccomp is all that the infra program and its start need. A short list is also quicker to load than
// Docker's own, which takes a tenth of the start.
//
//go:embed pause/seccomp.json
var pauseSeccomp string

// pauseTag names the infra image in the engine; a new program gets a new number.
const pauseTag = "moset/pause:1"

// ensurePause returns the local id of the infra image, loading it if it is missing.
func (e *Engine) ensurePause(ctx context.Context) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pauseID != "" {
		return e.pauseID, nil
	}
	archive, id := pauseArchive()
	have, err := e.docker.ImageInspect(ctx, id)
	if errdefs.IsNotFound(err) {
		if err = e.loadPause(ctx, archive); err == nil {
			have, err = e.docker.ImageInspect(ctx, pauseTag) // engines with other ids than config digests have it by name
		}
	}
	if err != nil {
		return "", e.translate("load infra image", pauseTag, err)
	}
	e.pauseID = have.ID
	return have.ID, nil
}

// forgetPause makes the next Prepare look for the infra image again.
func (e *Engine) forgetPause() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pauseID = ""
}

func (e *Engine) loadPause(ctx context.Context, archive []byte) error {
	info, err := e.docker.Info(ctx)
	if err != nil {
		return err
	}
	if info.Architecture != "x86_64" {
		return fmt.Errorf("%w: unsupported architecture %s: there is an infra image for x86_64 only", set.ErrInvalid, info.Architecture)
	}
	resp, err := e.docker.ImageLoad(ctx, bytes.NewReader(archive))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body) // an error in here shows as an image that is not there
	return err
}

// pauseArchive is the infra image as docker load takes it, and the id it will have: the same bytes on
// every host, since nothing in them depends on time or place.
func pauseArchive() (archive []byte, id string) {
	layer := tarOf(tarFile{"pause", 0o755, pauseELF(pauseCode)})
	diff := sha256.Sum256(layer)
	config := mustJSON(map[string]any{
		"architecture": "amd64", "os": "linux",
		"config":  map[string]any{"Entrypoint": []string{"/pause"}},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(diff[:])}},
		"history": []any{map[string]any{"created_by": "moset pause"}},
	})
	sum := sha256.Sum256(config)
	name := hex.EncodeToString(sum[:])
	manifest := mustJSON([]any{map[string]any{"Config": name + ".json", "RepoTags": []string{pauseTag}, "Layers": []string{"layer.tar"}}})
	return tarOf(tarFile{name + ".json", 0o644, config}, tarFile{"layer.tar", 0o644, layer}, tarFile{"manifest.json", 0o644, manifest}), "sha256:" + name
}

// pauseELF wraps code in the smallest 64-bit executable: file header, one program header, code.
func pauseELF(code []byte) []byte {
	const base, headers = 0x400000, 64 + 56
	size := uint64(headers + len(code))
	var b bytes.Buffer
	b.Write([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	for _, v := range []any{
		uint16(2), uint16(62), uint32(1), // executable, x86-64, version
		uint64(base + headers), uint64(64), uint64(0), // entry, program headers, no sections
		uint32(0), uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		uint32(1), uint32(5), // PT_LOAD, read and execute
		uint64(0), uint64(base), uint64(base), size, size, uint64(0x1000),
	} {
		_ = binary.Write(&b, binary.LittleEndian, v) // a Buffer does not fail
	}
	b.Write(code)
	return b.Bytes()
}

type tarFile struct {
	name string
	mode int64
	data []byte
}

func tarOf(files ...tarFile) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data)), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			panic(err) // fixed input into a Buffer: cannot fail
		}
		_, _ = w.Write(f.data)
	}
	_ = w.Close()
	return b.Bytes()
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // fixed input: cannot fail
	}
	return b
}
