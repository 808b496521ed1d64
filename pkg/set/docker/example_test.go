package docker_test

import (
	"context"
	"fmt"

	"github.com/moset/moset/pkg/set/docker"
)

// A host daemon hands the engine to its set.Manager and asks Check before it calls itself ready.
func Example() {
	engine, err := docker.New(docker.Config{Host: "unix:///nonexistent/docker.sock", Root: "/var/lib/moset", HostName: "host-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	fmt.Println(engine.Check(context.Background()))
	// Output:
	// check: unavailable: Docker does not answer at unix:///nonexistent/docker.sock: start it, or set the host's Docker address to one that runs
}
