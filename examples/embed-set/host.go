package main

import (
	"context"
	"fmt"
	"time"

	"github.com/moset/moset/pkg/set"
)

// host is what a Manager needs besides an engine: images are here already, and nothing is attached.
type host struct{}

func (host) Ensure(_ context.Context, r set.ImageRequest, _ func(done, total int64)) (string, error) {
	return r.Ref, nil // Docker takes a name for an id
}
func (host) Attach(context.Context, set.AttachRequest) error { return nil }
func (host) Detach(context.Context, string) error            { return nil }
func (host) List(context.Context) ([]string, error)          { return nil, nil }

// assignment is what a region would send. The epoch of each run is above those of earlier ones, so that this
// set takes the place of one that a crash left behind.
func assignment(images []string) set.Assignment {
	a := set.Assignment{ServerID: "example", Name: "example", Generation: 1, Epoch: uint64(time.Now().Unix()),
		Desired: set.DesiredRunning, Images: map[string]set.Image{}}
	for i, image := range images {
		name := fmt.Sprintf("app-%d", i+1)
		a.Spec.Containers = append(a.Spec.Containers, set.Container{Name: name, Image: image})
		a.Images[name] = set.Image{Ref: image, Digest: image}
	}
	return a
}
