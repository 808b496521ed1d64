package docker

import (
	"archive/tar"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/moset/moset/pkg/image"
)

// archive is an image as docker load takes it: a layer whose chain the engine has is only named in it.
type archive struct {
	config  []byte
	diffIDs []digest.Digest
	chain   []string        // chain ids
	layers  []v1.Descriptor // compressed, as in the registry; bottom first
	have    int             // lowest layers that the engine has
}

// loadOnce fetches an image's missing layers itself and hands them to the engine as one archive. Layers that another
// load is bringing are waited for.
func (c *Client) loadOnce(ctx context.Context, key string, r Request, p *pull) error {
	a, err := c.lookUp(ctx, r)
	if err != nil {
		return err
	}
	if have, err := c.local(ctx, a.id()); err != nil || have != "" {
		c.remember(key, have)
		return err
	}
	for {
		if a.have, err = c.chains.known(ctx, c.docker, a.chain); err != nil {
			return err
		}
		other, end := c.loads.begin(a.chain[a.have:])
		if other == nil {
			defer end()
			break
		}
		p.tell(Event{Kind: Waiting})
		select {
		case <-other:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := c.makeRoom(ctx, a.missing()); err != nil {
		return err
	}
	err = c.load(ctx, r, a, p)
	if err != nil && a.have > 0 && strings.Contains(err.Error(), "no such file or directory") {
		a.have = 0 // a layer the engine had was removed in between
		err = c.load(ctx, r, a, p)
	}
	if err == nil {
		c.remember(key, a.id())
	}
	return err
}

// lookUp reads manifest and config of an image.
func (c *Client) lookUp(ctx context.Context, r Request) (archive, error) {
	contents, err := c.manifest(ctx, r, cmp.Or(r.Digest, r.Tag))
	if err != nil {
		return archive{}, err
	}
	return c.archive(ctx, r, contents)
}

// id is what the engine calls the image: the digest of its config.
func (a archive) id() string { return digest.FromBytes(a.config).String() }

// archive reads the config of an image.
func (c *Client) archive(ctx context.Context, r Request, contents image.Contents) (archive, error) {
	a := archive{layers: contents.Layers}
	if !contents.IsImage() {
		return a, fmt.Errorf("%w: %s is no container image", image.ErrInvalid, contents.Config.MediaType)
	}
	var err error
	if a.config, _, err = c.small(ctx, r.Repository+"/blobs/"+contents.Config.Digest.String(), r.Token, contents.Config.Digest); err != nil {
		return a, err
	}
	var config v1.Image
	if err := json.Unmarshal(a.config, &config); err != nil {
		return a, fmt.Errorf("%w: the image's config is not readable: %w", image.ErrInvalid, err)
	}
	a.diffIDs, a.chain = config.RootFS.DiffIDs, image.ChainIDs(config.RootFS.DiffIDs)
	if len(a.diffIDs) != len(a.layers) {
		return a, fmt.Errorf("%w: the image's config names %d layers, its manifest %d", image.ErrInvalid, len(a.diffIDs), len(a.layers))
	}
	return a, nil
}

// load streams the archive into the engine; nothing is kept on the way.
func (c *Client) load(ctx context.Context, r Request, a archive, p *pull) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read, write := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		err := c.send(ctx, write, r, a, p)
		write.CloseWithError(err)
		sent <- err
	}()
	err := c.receive(ctx, read)
	read.CloseWithError(io.ErrClosedPipe) // the engine takes no more
	if cause := <-sent; cause != nil && !errors.Is(cause, io.ErrClosedPipe) {
		return cause
	}
	return err
}

func (c *Client) receive(ctx context.Context, in io.Reader) error {
	resp, err := c.docker.ImageLoad(ctx, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return follow(resp.Body, func(Event) {})
}

// send writes the archive: config, the layers that are missing, and the list that names all of them.
func (c *Client) send(ctx context.Context, w io.Writer, r Request, a archive, p *pull) error {
	out := tar.NewWriter(w)
	config := digest.FromBytes(a.config).Encoded() + ".json"
	if err := writeFile(out, config, a.config); err != nil {
		return err
	}
	sums := tally{total: a.missing().Bytes, layers: map[string]Event{}}
	for i, d := range a.layers {
		kind := Waiting
		if i < a.have {
			kind = Present
		}
		sums.layers[a.short(i)] = Event{Total: d.Size}
		p.tell(sums.note(Event{Kind: kind, Layer: a.short(i), Total: d.Size}))
	}
	for i := a.have; i < len(a.layers); i++ {
		if err := out.WriteHeader(&tar.Header{Name: a.layerFile(i), Mode: 0o644, Size: a.layers[i].Size, Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		got := int64(0)
		err := c.copyBlob(ctx, out, r, a.layers[i], func(n int64) {
			got += n
			p.tell(sums.note(Event{Kind: Downloading, Layer: a.short(i), Done: got, Total: a.layers[i].Size}))
		})
		if err != nil {
			return err
		}
		p.tell(sums.note(Event{Kind: Ready, Layer: a.short(i)}))
	}
	item := map[string]any{"Config": config, "Layers": a.layerFiles()}
	list, err := json.Marshal([]any{item})
	if err != nil {
		return err
	}
	if err := writeFile(out, "manifest.json", list); err != nil {
		return err
	}
	return out.Close()
}

// short names a layer by its place: the same layer may be in an image twice.
func (a archive) short(i int) string { return a.chain[i][:12] }

// layerFile names a layer by its place: the same layer may be in an image twice.
func (a archive) layerFile(i int) string {
	return fmt.Sprintf("%03d-%s/layer.tar", i, a.diffIDs[i].Encoded())
}

func (a archive) layerFiles() []string {
	files := make([]string, len(a.layers))
	for i := range files {
		files[i] = a.layerFile(i)
	}
	return files
}

func writeFile(w *tar.Writer, name string, content []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}
