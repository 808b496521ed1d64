package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types/image"
	dockerregistry "github.com/docker/docker/api/types/registry"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/bench/side"
)

// The rounds of the pull figure; the first of each side is not counted.
const pullRounds = 5

// source is a registry that one image can be pulled from.
type source struct {
	name           string // in the figure's
	what           string // for people
	host           string // host:port/path that repositories are below
	user, password string
}

func (s source) image() string { return s.host + "/large:v1" }

// benchPull measures docker pull of one image through moset's registry on Glance, beside docker-registry.
func benchPull(ctx context.Context, l *lab) ([]figure.Figure, error) {
	registry, err := side.DockerRegistry(ctx, l.dir)
	if err != nil {
		return nil, err
	}
	l.onClose(registry.Close)
	peer := source{what: "docker-registry", host: registry.Host}
	c, err := l.cloud(ctx)
	if err != nil {
		return nil, err
	}
	ours := []source{{name: "box", what: "the registry on the Glance box", host: c.registry() + "/demo", user: "demo/demo", password: c.Environment("demo")["OS_PASSWORD"]}}
	switch real, found, err := l.realGlance(ctx); {
	case err != nil:
		return nil, err
	case found:
		ours = append(ours, real)
	}
	var figures []figure.Figure
	for _, mine := range ours {
		f, err := l.comparePulls(ctx, mine, peer)
		if err != nil {
			return figures, err
		}
		f.Name = fmt.Sprintf("pull-%dMiB-%s", largeLayers*largeLayer>>20, mine.name)
		figures = append(figures, f)
	}
	return figures, nil
}

// comparePulls pushes an image to both and pulls it from each in turn.
func (l *lab) comparePulls(ctx context.Context, mine, peer source) (figure.Figure, error) {
	if err := l.spreadLarge(ctx, mine, peer); err != nil {
		return figure.Figure{}, err
	}
	times := map[source]figure.Samples{}
	for round := range pullRounds + 1 {
		for _, s := range []source{mine, peer} {
			took, err := l.pullOnce(ctx, s)
			if err != nil {
				return figure.Figure{}, fmt.Errorf("pull from %s: %w", s.what, err)
			}
			l.detail("pull %d from %s: %v", round, s.what, took)
			if round > 0 {
				times[s] = append(times[s], took)
			}
		}
	}
	return figure.Figure{Unit: "s", Ours: times[mine].Median().Seconds(), Peer: "docker-registry", Their: times[peer].Median().Seconds(), Goal: figure.Goal{Bound: 1.2}}, nil
}

// pullOnce pulls the image, which must not be there, and removes it again.
func (l *lab) pullOnce(ctx context.Context, s source) (time.Duration, error) {
	auth, err := s.auth()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	body, err := l.docker.ImagePull(ctx, s.image(), image.PullOptions{RegistryAuth: auth})
	if err != nil {
		return 0, err
	}
	layers, err := countPulled(body)
	took := time.Since(begun)
	err = errors.Join(err, body.Close())
	if err == nil && layers != largeLayers {
		err = fmt.Errorf("%d layers came instead of %d: the image was not gone", layers, largeLayers)
	}
	return took, errors.Join(err, l.removeLarge(ctx, s.image()))
}

func (s source) auth() (string, error) {
	if s.user == "" {
		return "", nil
	}
	return dockerregistry.EncodeAuthConfig(dockerregistry.AuthConfig{Username: s.user, Password: s.password, ServerAddress: s.host})
}

// countPulled reads what the engine says of a pull or push to its end and counts the layers it got.
func countPulled(r io.Reader) (layers int, err error) {
	lines := json.NewDecoder(r)
	for {
		var line struct{ Status, Error string }
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF):
			return layers, nil
		case err != nil:
			return layers, err
		case line.Error != "":
			return layers, errors.New(line.Error)
		case line.Status == "Pull complete":
			layers++
		}
	}
}
