// Command embed-set runs a set on the local Docker Engine with pkg/set and pkg/set/docker alone: no region,
// no registry, no network. Each IMAGE, one that the engine has, becomes a container of the set. Every change is
// printed, a restart of a container that died for instance, and the first signal takes the set away. It needs
// root: a set has a cgroup of its own.
//
//	embed-set /var/tmp/embed-set demo/web:v1 demo/logagent:v1
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/docker"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: embed-set DIRECTORY IMAGE...")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "embed-set:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, images []string) error {
	engine, err := docker.New(docker.Config{Host: os.Getenv("DOCKER_HOST"), Root: dir, HostName: "embed-set"})
	if err != nil {
		return err
	}
	defer engine.Close()
	journal, err := set.OpenFileJournal(filepath.Join(dir, "journal"))
	if err != nil {
		return err
	}
	defer journal.Close()
	manager, err := set.NewManager(set.ManagerConfig{Engine: engine, Images: host{}, Network: host{}, Journal: journal})
	if err != nil {
		return err
	}
	defer manager.Close()
	a := assignment(images)
	if _, err := manager.Apply(ctx, a); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _, _ = manager.Remove(context.Background(), set.Removal{ServerID: a.ServerID, Epoch: a.Epoch}) })()
	for o, err := range manager.Watch(context.Background()) {
		if err != nil || o.State == set.StateDeleted {
			return err
		}
		fmt.Println(o.State)
		if o.Fault != nil {
			fmt.Println(o.Fault.Message)
		}
		for _, c := range o.Containers {
			fmt.Println(" ", c.Role, c.Name, c.State, c.Restarts)
		}
	}
	return nil
}
