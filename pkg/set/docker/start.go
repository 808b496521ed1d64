package docker

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// Start implements set.Engine: each wave of set.StartOrder at once, the next when it runs. A program that
// is missing or cannot be executed is set.ErrInvalid and named.
func (e *Engine) Start(ctx context.Context, in set.Instance) error {
	if err := checkID(in.ServerID); err != nil {
		return &set.Error{Op: "start", ID: in.ServerID, Err: err}
	}
	waves, err := set.StartOrder(in.Spec.Containers)
	if err != nil {
		return &set.Error{Op: "start", ID: in.ServerID, Err: err}
	}
	ctx, cancel := e.bound(ctx, 0)
	defer cancel()
	for _, wave := range waves {
		if err := parallel(wave, func(c set.Container) error { return e.startMember(ctx, in.ServerID, c) }); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) startMember(ctx context.Context, serverID string, c set.Container) error {
	name := containerName(serverID, c.Name)
	err := e.docker.ContainerStart(ctx, name, container.StartOptions{})
	if err == nil {
		err = e.awaitProgram(ctx, name)
	}
	if reason := badProgram(err); reason != "" {
		err = fmt.Errorf("%w: container %s: %s", set.ErrInvalid, c.Name, reason)
		return &set.Error{Op: "start", ID: serverID, Err: err}
	}
	return e.translate("start container "+c.Name+" of", serverID, err)
}
