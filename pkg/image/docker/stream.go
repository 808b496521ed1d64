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

// kinds says what the engine's words about a layer tell.
var kinds = map[string]Kind{
	"Waiting": Waiting, "Pulling fs layer": Waiting, "Preparing": Waiting,
	"Downloading": Downloading, "Pushing": Uploading, "Extracting": Unpacking,
	"Download complete": Unpacking, "Verifying Checksum": Unpacking,
	"Already exists": Present, "Layer already exists": Present,
	"Pull complete": Ready, "Pushed": Ready,
}

// follow reads a progress stream to its end and tells what it says of layers. An error line ends it.
func follow(stream io.Reader, tell func(Event)) error {
	var sums tally
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
		if kind, ok := kinds[m.Status]; ok && m.ID != "" {
			tell(sums.note(Event{Kind: kind, Layer: m.ID, Done: max(0, m.Detail.Current), Total: max(0, m.Detail.Total)}))
		}
	}
}
