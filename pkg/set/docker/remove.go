package docker

import (
	"context"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// Remove implements set.Engine: members, infra, cgroup, volumes. The cgroup and the volumes go even if no
// container is left.
func (e *Engine) Remove(ctx context.Context, serverID string) error {
	if err := checkID(serverID); err != nil {
		return &set.Error{Op: "remove", ID: serverID, Err: err}
	}
	ctx, cancel := e.bound(ctx, 0)
	defer cancel()
	list, err := e.containers(ctx, serverID)
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
	// The directory goes last: List finds a half removed server by it.
	if err := e.cgroups.remove(serverID); err != nil {
		return e.translate("remove cgroup of", serverID, err)
	}
	return e.translate("remove volumes of", serverID, e.dirs(serverID).remove())
}

// removeTries bounds the wait for a removal that the engine has under way already.
const removeTries = 50

// removeContainer removes a container in any state. A removal cut off leaves it Dead; a second try succeeds.
func (e *Engine) removeContainer(ctx context.Context, id string) error {
	var err error
	for range removeTries {
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
			return e.translate("remove container", id, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return e.translate("remove container", id, err)
}
