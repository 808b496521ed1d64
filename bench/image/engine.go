package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
)

// engine is the private Docker Engine that pushes, pulls and loads. What it does is timed from before the request to
// the end of its answer.
type engine struct{ docker *client.Client }

// load reads an archive and returns how long docker load took.
func (e engine) load(ctx context.Context, file string) (time.Duration, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	begun := time.Now()
	resp, err := e.docker.ImageLoad(ctx, f)
	if err != nil {
		return 0, err
	}
	_, err = follow(resp.Body)
	return time.Since(begun), errors.Join(err, resp.Body.Close())
}

func (e engine) push(ctx context.Context, name, auth string) (time.Duration, error) {
	begun := time.Now()
	body, err := e.docker.ImagePush(ctx, name, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		return 0, err
	}
	_, err = follow(body)
	return time.Since(begun), errors.Join(err, body.Close())
}

// pull pulls an image of which the engine must lack so many layers.
func (e engine) pull(ctx context.Context, name, auth string, missing int) (time.Duration, error) {
	begun := time.Now()
	body, err := e.docker.ImagePull(ctx, name, image.PullOptions{RegistryAuth: auth})
	if err != nil {
		return 0, err
	}
	layers, err := follow(body)
	took := time.Since(begun)
	if err == nil && layers != missing {
		err = fmt.Errorf("%d layers came instead of %d", layers, missing)
	}
	return took, errors.Join(err, body.Close())
}

// remove removes an image and everything that is only in it.
func (e engine) remove(ctx context.Context, name string) error {
	_, err := e.docker.ImageRemove(ctx, name, image.RemoveOptions{Force: true, PruneChildren: true})
	return err
}

// follow reads what the engine says to its end and counts the layers it pulled.
func follow(r io.Reader) (pulled int, err error) {
	lines := json.NewDecoder(r)
	for {
		var line struct{ Status, Error string }
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF):
			return pulled, nil
		case err != nil:
			return pulled, err
		case line.Error != "":
			return pulled, errors.New(line.Error)
		case line.Status == "Pull complete":
			pulled++
		}
	}
}
