package docker

import (
	"context"

	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// Suspend implements set.Suspender: every member is paused. The infra container has nothing to freeze.
func (e *Engine) Suspend(ctx context.Context, in set.Instance) error {
	return e.members(ctx, in.ServerID, func(ctx context.Context, c container.InspectResponse) error {
		if c.State.Paused || !c.State.Running {
			return nil
		}
		return e.translate("suspend", c.Name, e.docker.ContainerPause(ctx, c.ID))
	})
}

// Resume implements set.Suspender.
func (e *Engine) Resume(ctx context.Context, in set.Instance) error {
	return e.members(ctx, in.ServerID, func(ctx context.Context, c container.InspectResponse) error {
		if !c.State.Paused {
			return nil
		}
		return e.translate("resume", c.Name, e.docker.ContainerUnpause(ctx, c.ID))
	})
}

func (e *Engine) members(ctx context.Context, serverID string, f func(context.Context, container.InspectResponse) error) error {
	ctx, cancel := e.bound(ctx, 0)
	defer cancel()
	all, err := e.inspectAll(ctx, serverID)
	if err != nil {
		return err
	}
	return parallel(all, func(c container.InspectResponse) error {
		if c.Config.Labels[labelRole] == string(set.RoleInfra) {
			return nil
		}
		return f(ctx, c)
	})
}
