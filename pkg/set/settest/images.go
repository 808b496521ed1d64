package settest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/moset/moset/pkg/set"
)

// Images is a set.Images in memory: every digest exists, but for those that Missing names.
type Images struct {
	knobs *Knobs

	mu      sync.Mutex
	local   map[string]bool
	missing map[string]bool
	asked   []set.ImageRequest
}

var _ set.Images = (*Images)(nil)

// Ensure implements set.Images.
func (i *Images) Ensure(ctx context.Context, req set.ImageRequest, progress func(done, total int64)) (string, error) {
	id := "local-" + strings.TrimPrefix(req.Digest, "sha256:")
	err := i.knobs.do(ctx, "Images.Ensure", func() error {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.asked = append(i.asked, req)
		if i.missing[req.Digest] {
			return fmt.Errorf("%w: the registry has no image %s", set.ErrNotFound, req.Ref)
		}
		i.local[id] = true
		return nil
	})
	if err != nil {
		return "", err
	}
	if progress != nil {
		progress(int64(req.Size), int64(req.Size))
	}
	return id, nil
}

// Missing makes a digest unknown to the registry.
func (i *Images) Missing(digest string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.missing[digest] = true
}

// Forget drops every local image, as an operator who tidies up does.
func (i *Images) Forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.local)
}

// Requests returns what was asked for so far.
func (i *Images) Requests() []set.ImageRequest {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]set.ImageRequest(nil), i.asked...)
}

func (i *Images) has(id string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.local[id]
}
