package docker

import (
	"context"

	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// Start implements set.Engine: each wave of set.StartOrder at once, the next when it runs.
func (e *Engine) Start(ctx context.Context, in set.Instance) error {
	waves, err := set.StartOrder(in.Spec.Containers)
	if err != nil {
		return err
	}
	for _, wave := range waves {
		err := parallel(wave, func(c set.Container) error {
			err := e.docker.ContainerStart(ctx, containerName(in.ServerID, c.Name), container.StartOptions{})
			return e.translate("start container "+c.Name+" of", in.ServerID, err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Suspend implements set.Suspender: every member is paused. The infra container has nothing to freeze.
func (e *Engine) Suspend(ctx context.Context, in set.Instance) error {
	return e.members(ctx, in.ServerID, func(c container.InspectResponse) error {
		if c.State.Paused || !c.State.Running {
			return nil
		}
		return e.translate("suspend", c.Name, e.docker.ContainerPause(ctx, c.ID))
	})
}

// Resume implements set.Suspender.
func (e *Engine) Resume(ctx context.Context, in set.Instance) error {
	return e.members(ctx, in.ServerID, func(c container.InspectResponse) error {
		if !c.State.Paused {
			return nil
		}
		return e.translate("resume", c.Name, e.docker.ContainerUnpause(ctx, c.ID))
	})
}

func (e *Engine) members(ctx context.Context, serverID string, f func(container.InspectResponse) error) error {
	all, err := e.inspectAll(ctx, serverID)
	if err != nil {
		return err
	}
	return parallel(all, func(c container.InspectResponse) error {
		if c.Config.Labels[labelRole] == string(set.RoleInfra) {
			return nil
		}
		return f(c)
	})
}
