package docker

import (
	"context"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// Stop implements set.Engine: apps, then sidecars, then the infra container; within a role all at once.
func (e *Engine) Stop(ctx context.Context, in set.Instance) error {
	all, err := e.inspectAll(ctx, in.ServerID)
	if err != nil {
		return err
	}
	for _, role := range []set.Role{set.RoleApp, set.RoleSidecar, set.RoleInfra} {
		err := parallel(all, func(c container.InspectResponse) error {
			if c.Config.Labels[labelRole] != string(role) || !c.State.Running {
				return nil
			}
			return e.stopContainer(ctx, in, c)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) stopContainer(ctx context.Context, in set.Instance, c container.InspectResponse) error {
	if c.State.Paused { // a paused process does not see TERM
		if err := e.docker.ContainerUnpause(ctx, c.ID); err != nil && !errdefs.IsConflict(err) {
			return e.translate("stop", c.Name, err)
		}
	}
	seconds := 1
	for _, s := range in.Spec.Containers {
		if s.Name == c.Config.Labels[labelName] {
			seconds = grace(in.Assignment, s)
		}
	}
	err := e.docker.ContainerStop(ctx, c.ID, container.StopOptions{Timeout: &seconds})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return e.translate("stop", c.Name, err)
}
