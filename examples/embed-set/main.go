// Command embed-set runs one set on the local Docker Engine with pkg/set alone: no region, no registry, no
// switch. The image has to be on the engine already; the set has loopback and nothing else.
//
//	embed-set busybox:latest sh -c 'echo hello; sleep 60'
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/docker"
)

// local finds images by name on the engine itself.
type local struct{}

func (local) Ensure(_ context.Context, req set.ImageRequest, _ func(done, total int64)) (string, error) {
	return req.Ref, nil
}

// alone attaches sets to nothing.
type alone struct{}

func (alone) Attach(context.Context, set.AttachRequest) error { return nil }
func (alone) Detach(context.Context, string) error            { return nil }
func (alone) List(context.Context) ([]string, error)          { return nil, nil }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "embed-set:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: embed-set IMAGE COMMAND...")
	}
	state := "/var/lib/moset-embed"
	engine, err := docker.New(docker.Config{Host: os.Getenv("DOCKER_HOST"), Root: state, HostName: "embed"})
	if err != nil {
		return err
	}
	defer engine.Close()
	journal, err := set.OpenFileJournal(state + "/journal")
	if err != nil {
		return err
	}
	defer journal.Close()
	manager, err := set.NewManager(set.ManagerConfig{Engine: engine, Images: local{}, Network: alone{}, Journal: journal})
	if err != nil {
		return err
	}
	defer manager.Close()
	spec := set.Spec{Containers: []set.Container{{Name: "app", Image: args[0], Command: args[1:]}}}
	_, err = manager.Apply(ctx, set.Assignment{ServerID: "example", Name: "example", Generation: 1, Epoch: 1, Desired: set.DesiredRunning,
		Spec: spec, Images: map[string]set.Image{"app": {Ref: args[0], Digest: "local"}}})
	if err != nil {
		return err
	}
	for o := range manager.Watch(ctx) { // until Ctrl-C
		fmt.Println(o.ServerID, o.State, len(o.Containers), "containers")
	}
	if _, err := manager.Remove(context.Background(), set.Removal{ServerID: "example", Epoch: 1}); err != nil {
		return err
	}
	for o := range manager.Watch(context.Background()) {
		if o.State == set.StateDeleted {
			break
		}
	}
	return nil
}
