package docker

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// stopOrder is the order of roles in a stop: who serves goes first, who holds the network last.
var stopOrder = [...]set.Role{set.RoleApp, set.RoleSidecar, set.RoleInfra}

// Stop implements set.Engine: apps, then sidecars, then the infra container; within a role all at once.
func (e *Engine) Stop(ctx context.Context, in set.Instance) error {
	if err := checkID(in.ServerID); err != nil {
		return &set.Error{Op: "stop", ID: in.ServerID, Err: err}
	}
	ctx, cancel := e.bound(ctx, longestStop(in))
	defer cancel()
	all, err := e.inspectAll(ctx, in.ServerID)
	if err != nil {
		return err
	}
	for _, role := range stopOrder {
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
		if err := e.docker.ContainerUnpause(ctx, c.ID); err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
			return e.translate("stop", c.Name, err)
		}
	}
	seconds := 1 // the infra container, or one that the spec does not know any more
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

// longestStop is the time that the roles may take, one after the other.
func longestStop(in set.Instance) time.Duration {
	longest := map[set.Role]int{}
	for _, c := range in.Spec.Containers {
		longest[roleOf(c)] = max(longest[roleOf(c)], grace(in.Assignment, c))
	}
	return time.Duration(longest[set.RoleApp]+longest[set.RoleSidecar]+1) * time.Second
}
