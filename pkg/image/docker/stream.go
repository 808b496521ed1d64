package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/moset/moset/pkg/image"
)

// message is one line of the engine's progress stream (Docker Engine API, "Create an image").
type message struct {
	ID     string `json:"id"` // of a layer
	Status string `json:"status"`
	Error  string `json:"error"`
	Detail struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
}

// follow reads a progress stream to its end and adds up the layers. An error line ends it.
func follow(stream io.Reader, progress func(done, total int64)) error {
	return followLayers(stream, progress, nil)
}

// followLayers is follow that tells of each layer too; each may be nil.
func followLayers(stream io.Reader, progress func(done, total int64), each func(LayerProgress)) error {
	layers := map[string]*message{}
	lines := json.NewDecoder(stream)
	for {
		var m message
		err := lines.Decode(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &image.Error{Op: "follow transfer", Err: fmt.Errorf("%w: the engine's answer broke off: %w", image.ErrUnavailable, err)}
		}
		if m.Error != "" {
			return errors.New(m.Error)
		}
		if count(layers, m) {
			progress(sum(layers))
		}
		if p, ok := layerOf(m, layers); ok && each != nil {
			each(p)
		}
	}
}

// count notes what a line says of a layer; false when it says nothing of bytes.
func count(layers map[string]*message, m message) bool {
	switch m.Status {
	case "Downloading", "Pushing":
		if m.Detail.Total <= 0 {
			return false
		}
		layers[m.ID] = &m
		return true
	case "Download complete", "Verifying Checksum", "Pull complete", "Pushed":
		if have, ok := layers[m.ID]; ok {
			have.Detail.Current = have.Detail.Total
			return true
		}
	}
	return false
}

func sum(layers map[string]*message) (done, total int64) {
	for _, m := range layers {
		done += m.Detail.Current
		total += m.Detail.Total
	}
	return done, total
}
