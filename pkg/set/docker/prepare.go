package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// Prepare implements set.Engine.
func (e *Engine) Prepare(ctx context.Context, in set.Instance) (set.Sandbox, error) {
	in.Spec = in.Spec.WithDefaults()
	if err := e.clearOld(ctx, in); err != nil {
		return set.Sandbox{}, err
	}
	if err := e.dirs(in.ServerID).make(in.Assignment); err != nil {
		return set.Sandbox{}, e.translate("make volumes", in.ServerID, err)
	}
	if err := e.cgroups.make(in.ServerID, in.Spec.Resources); err != nil {
		return set.Sandbox{}, e.translate("make cgroup", in.ServerID, err)
	}
	infra, err := e.createInfra(ctx, in)
	if err != nil {
		return set.Sandbox{}, err
	}
	// Members need the infra container's id to be created, and its being up only to be started.
	return e.startInfra(ctx, in, infra)
}

// clearOld removes containers of another SpecHash, and members that joined an infra container that is gone or down.
func (e *Engine) clearOld(ctx context.Context, in set.Instance) error {
	all, err := e.inspectAll(ctx, in.ServerID)
	if err != nil {
		return err
	}
	hash := set.SpecHash(in.Assignment)
	infra := ""
	for _, c := range all {
		if c.Config.Labels[labelRole] == string(set.RoleInfra) && c.Config.Labels[labelHash] == hash {
			infra = c.ID
		}
	}
	return parallel(all, func(c container.InspectResponse) error {
		old := c.Config.Labels[labelHash] != hash || c.State.Dead
		orphan := c.ID != infra && string(c.HostConfig.NetworkMode) != "container:"+infra
		if !old && !orphan {
			return nil
		}
		return e.removeContainer(ctx, c.ID)
	})
}

func (e *Engine) createInfra(ctx context.Context, in set.Instance) (string, error) {
	pauseImage, err := e.ensurePause(ctx)
	if err != nil {
		return "", err
	}
	id, err := e.create(ctx, in, e.infraRecipe(in, pauseImage))
	if errors.Is(err, set.ErrNotFound) { // somebody removed the image
		e.forgetPause()
		return "", fmt.Errorf("%w: %w", set.ErrUnavailable, err)
	}
	return id, err
}

// startInfra starts the infra container and creates the members at the same time.
func (e *Engine) startInfra(ctx context.Context, in set.Instance, infra string) (set.Sandbox, error) {
	created := make(chan error, 1)
	go func() { created <- e.createMembers(ctx, in, infra) }()
	sandbox, err := e.bringUpInfra(ctx, in, infra)
	return sandbox, errors.Join(err, <-created)
}

func (e *Engine) createMembers(ctx context.Context, in set.Instance, infra string) error {
	orders := make([]int, len(in.Spec.Containers))
	for i := range orders {
		orders[i] = i
	}
	return parallel(orders, func(i int) error {
		_, err := e.create(ctx, in, e.memberRecipe(in, in.Spec.Containers[i], i+1, infra))
		return err
	})
}

// bringUpInfra starts the infra container if it is down. Members still running then sit in a namespace
// that nobody else has any more: they are stopped first.
func (e *Engine) bringUpInfra(ctx context.Context, in set.Instance, infra string) (set.Sandbox, error) {
	c, err := e.docker.ContainerInspect(ctx, infra)
	if err != nil {
		return set.Sandbox{}, e.translate("start infra", in.ServerID, err)
	}
	if !c.State.Running {
		if err := e.stopStranded(ctx, in.ServerID); err != nil {
			return set.Sandbox{}, err
		}
		if err := e.docker.ContainerStart(ctx, infra, container.StartOptions{}); err != nil {
			return set.Sandbox{}, e.translate("start infra", in.ServerID, err)
		}
		if c, err = e.docker.ContainerInspect(ctx, infra); err != nil {
			return set.Sandbox{}, e.translate("start infra", in.ServerID, err)
		}
	}
	return sandboxOf(c), nil
}

func (e *Engine) stopStranded(ctx context.Context, serverID string) error {
	all, err := e.inspectAll(ctx, serverID)
	if err != nil {
		return err
	}
	return parallel(all, func(c container.InspectResponse) error {
		if !c.State.Running {
			return nil
		}
		err := e.docker.ContainerKill(ctx, c.ID, "KILL")
		if errdefs.IsConflict(err) || errdefs.IsNotFound(err) {
			return nil
		}
		return e.translate("stop", c.Name, err)
	})
}

// create makes one container, or adopts the one of that name if it is of this SpecHash.
func (e *Engine) create(ctx context.Context, in set.Instance, r recipe) (string, error) {
	for range 2 {
		resp, err := e.docker.ContainerCreate(ctx, &r.Config, &r.Host, nil, nil, r.Full)
		if err == nil {
			return resp.ID, nil
		}
		if !errdefs.IsConflict(err) {
			return "", e.translate("create container "+r.Name+" of", in.ServerID, err)
		}
		have, err := e.docker.ContainerInspect(ctx, r.Full)
		if errdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return "", e.translate("create container "+r.Name+" of", in.ServerID, err)
		}
		if have.Config.Labels[labelHash] == r.Config.Labels[labelHash] && have.Config.Labels[labelHost] == e.cfg.HostName && !have.State.Dead {
			return have.ID, nil
		}
		if have.Config.Labels[labelHost] != e.cfg.HostName {
			return "", &set.Error{Op: "create container", ID: r.Full, Err: fmt.Errorf("%w: a container of that name belongs to somebody else", set.ErrConflict)}
		}
		if err := e.removeContainer(ctx, have.ID); err != nil {
			return "", err
		}
	}
	return "", &set.Error{Op: "create container", ID: r.Full, Err: fmt.Errorf("%w: its name is held by a container that cannot be removed", set.ErrUnavailable)}
}
