package main

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"
)

// The large image: random bytes, which no compression makes smaller, so that the registries have to move
// all of them.
const (
	largeLayers = 4
	largeLayer  = 50 << 20 // bytes
	largeName   = "moset-bench/large:v1"
)

// spreadLarge builds a large image, pushes it to the sources and leaves nothing of it on the engine.
func (l *lab) spreadLarge(ctx context.Context, sources ...source) error {
	if err := l.buildLarge(ctx); err != nil {
		return fmt.Errorf("build the large image: %w", err)
	}
	names := []string{largeName}
	for _, s := range sources {
		if err := l.pushLarge(ctx, s); err != nil {
			return fmt.Errorf("push to %s: %w", s.what, err)
		}
		names = append(names, s.image())
	}
	for _, name := range names {
		if err := l.removeLarge(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) buildLarge(ctx context.Context) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(largeContext(w)) }()
	resp, err := l.docker.ImageBuild(ctx, r, build.ImageBuildOptions{Tags: []string{largeName}, Remove: true, ForceRemove: true, NetworkMode: "none"})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = countPulled(resp.Body)
	return err
}

// largeContext writes the build's directory as a tar.
func largeContext(w io.Writer) error {
	t := tar.NewWriter(w)
	dockerfile := "FROM scratch\n"
	for i := range largeLayers {
		name := fmt.Sprint("part", i)
		dockerfile += "COPY " + name + " /\n"
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: largeLayer}); err != nil {
			return err
		}
		if _, err := io.CopyN(t, rand.Reader, largeLayer); err != nil {
			return err
		}
	}
	if err := t.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(dockerfile))}); err != nil {
		return err
	}
	_, err := io.WriteString(t, dockerfile)
	return errors.Join(err, t.Close())
}

func (l *lab) pushLarge(ctx context.Context, s source) error {
	if err := l.docker.ImageTag(ctx, largeName, s.image()); err != nil {
		return err
	}
	auth, err := s.auth()
	if err != nil {
		return err
	}
	if auth == "" {
		auth = "e30=" // the engine wants an object, even an empty one
	}
	body, err := l.docker.ImagePush(ctx, s.image(), image.PushOptions{RegistryAuth: auth})
	if err != nil {
		return err
	}
	_, err = countPulled(body)
	return errors.Join(err, body.Close())
}

// removeLarge removes an image and everything that is only in it.
func (l *lab) removeLarge(ctx context.Context, name string) error {
	_, err := l.docker.ImageRemove(ctx, name, image.RemoveOptions{Force: true, PruneChildren: true})
	return err
}
