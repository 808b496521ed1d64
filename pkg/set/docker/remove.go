package docker

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// Remove implements set.Engine: members, infra, cgroup, volumes.
func (e *Engine) Remove(ctx context.Context, serverID string) error {
	list, err := e.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: e.mine(serverID)})
	if err != nil {
		return e.translate("remove", serverID, err)
	}
	for _, infra := range []bool{false, true} {
		err := parallel(list, func(c container.Summary) error {
			if (c.Labels[labelRole] == string(set.RoleInfra)) != infra {
				return nil
			}
			return e.removeContainer(ctx, c.ID)
		})
		if err != nil {
			return err
		}
	}
	return errors.Join(
		e.translate("remove", serverID, e.cgroups.remove(serverID)),
		e.translate("remove", serverID, e.dirs(serverID).remove()))
}

// removeContainer removes a container in any state. A removal cut off leaves it Dead; a second try succeeds.
func (e *Engine) removeContainer(ctx context.Context, id string) error {
	var err error
	for range 20 {
		err = e.docker.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		busy := errdefs.IsConflict(err) || strings.Contains(err.Error(), "is already in progress") || strings.Contains(err.Error(), "device or resource busy")
		if !busy {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return e.translate("remove container", id, err)
}
