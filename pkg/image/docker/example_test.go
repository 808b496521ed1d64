package docker_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/moset/moset/pkg/image"
	"github.com/moset/moset/pkg/image/docker"
)

// A host pulls what a server needs with the token of whoever asked for the server.
func Example() {
	client, err := docker.New(docker.Config{Registry: "127.0.0.1:5000"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	_, err = client.Pull(context.Background(), docker.Request{Repository: "demo/app", Token: "gAAAAA"}, nil)
	fmt.Println(errors.Is(err, image.ErrInvalid), err)
	// Output: true pull demo/app: invalid: a digest or a tag is needed
}
