package docker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// Prepare implements set.Engine.
func (e *Engine) Prepare(ctx context.Context, in set.Instance) (set.Sandbox, error) {
	if err := checkInstance(in); err != nil {
		return set.Sandbox{}, &set.Error{Op: "prepare", ID: in.ServerID, Err: err}
	}
	ctx, cancel := e.bound(ctx, longestStop(in))
	defer cancel()
	if err := e.clearOld(ctx, in); err != nil {
		return set.Sandbox{}, err
	}
	if err := e.dirs(in.ServerID).make(in.Assignment); err != nil {
		return set.Sandbox{}, e.translate("make volumes of", in.ServerID, err)
	}
	if err := e.cgroups.make(in.ServerID, in.Spec.Resources); err != nil {
		return set.Sandbox{}, e.translate("limit", in.ServerID, err)
	}
	infra, err := e.createInfra(ctx, in)
	if err != nil {
		return set.Sandbox{}, err
	}
	// Members need the infra container's id to be created, and its being up only to be started.
	return e.startInfra(ctx, in, infra)
}

// idPattern is what may name a directory and a cgroup.
var idPattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$`)

// checkID keeps an id that would name another directory away from the file system.
func checkID(serverID string) error {
	if !idPattern.MatchString(serverID) {
		return fmt.Errorf("%w: server_id: %.80q is not an id", set.ErrInvalid, serverID)
	}
	return nil
}

func checkInstance(in set.Instance) error {
	if err := checkID(in.ServerID); err != nil {
		return err
	}
	if in.Spec.Kind == set.KindVM {
		return fmt.Errorf("%w: kind: a Docker engine runs sets, not virtual machines", set.ErrInvalid)
	}
	if err := in.Spec.Validate(); err != nil {
		return err
	}
	for _, c := range in.Spec.Containers {
		if in.ImageIDs[c.Name] == "" {
			return fmt.Errorf("%w: container %s has no local image", set.ErrInvalid, c.Name)
		}
	}
	return nil
}

// clearOld removes containers of another SpecHash, halves of removed ones, and members that joined an
// infra container that is gone.
func (e *Engine) clearOld(ctx context.Context, in set.Instance) error {
	all, err := e.inspectAll(ctx, in.ServerID)
	if err != nil {
		return err
	}
	hash := set.SpecHash(in.Assignment)
	usable := func(c container.InspectResponse) bool { return c.Config.Labels[labelHash] == hash && !c.State.Dead }
	infra := ""
	for _, c := range all {
		if c.Config.Labels[labelRole] == string(set.RoleInfra) && usable(c) {
			infra = c.ID
		}
	}
	return parallel(all, func(c container.InspectResponse) error {
		joined := c.ID == infra || c.HostConfig.NetworkMode.ConnectedContainer() == infra
		if usable(c) && joined {
			return nil
		}
		return e.removeContainer(ctx, c.ID)
	})
}

func (e *Engine) createInfra(ctx context.Context, in set.Instance) (made, error) {
	pauseImage, err := e.ensurePause(ctx)
	if err != nil {
		return made{}, err
	}
	infra, err := e.create(ctx, in, e.infraRecipe(in, pauseImage))
	if errors.Is(err, set.ErrNotFound) { // somebody removed the image
		e.forgetPause()
		return made{}, fmt.Errorf("%w: %w", set.ErrUnavailable, err)
	}
	return infra, err
}

// startInfra starts the infra container and creates the members at the same time.
func (e *Engine) startInfra(ctx context.Context, in set.Instance, infra made) (set.Sandbox, error) {
	created := make(chan error, 1)
	go func() { created <- e.createMembers(ctx, in, infra.id) }()
	sandbox, err := e.bringUpInfra(ctx, in, infra)
	if err = firstOf(err, <-created); err != nil {
		return set.Sandbox{}, err
	}
	return sandbox, nil
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

// bringUpInfra starts the infra container if it is down.
func (e *Engine) bringUpInfra(ctx context.Context, in set.Instance, infra made) (set.Sandbox, error) {
	if infra.adopted {
		if sandbox, err := e.adoptInfra(ctx, in, infra.id); err != nil || sandbox.NetNS != "" {
			return sandbox, err
		}
	}
	err := e.docker.ContainerStart(ctx, infra.id, container.StartOptions{})
	if err != nil {
		return set.Sandbox{}, e.translate("start infra container of", in.ServerID, err)
	}
	return e.inspectSandbox(ctx, in, infra.id)
}

// adoptInfra returns the sandbox of an infra container that was there and runs. If it is down, members still
// running sit in a namespace that nobody else has any more: they are stopped.
func (e *Engine) adoptInfra(ctx context.Context, in set.Instance, infra string) (set.Sandbox, error) {
	sandbox, err := e.inspectSandbox(ctx, in, infra)
	if err != nil || sandbox.NetNS != "" {
		return sandbox, err
	}
	return sandbox, e.Stop(ctx, in)
}

func (e *Engine) inspectSandbox(ctx context.Context, in set.Instance, infra string) (set.Sandbox, error) {
	c, err := e.docker.ContainerInspect(ctx, infra)
	if err != nil {
		return set.Sandbox{}, e.translate("start infra container of", in.ServerID, err)
	}
	return sandboxOf(c), nil
}

// made is a container that create returns: a new one, or one that was there.
type made struct {
	id      string
	adopted bool
}

// createTries bounds how often a name is tried that is held by a container which is going away.
const createTries = 20

// create makes one container, or adopts the one of that name if it is of this SpecHash.
func (e *Engine) create(ctx context.Context, in set.Instance, r recipe) (made, error) {
	for range createTries {
		resp, err := e.docker.ContainerCreate(ctx, &r.Config, &r.Host, nil, nil, r.Full)
		if err == nil {
			return made{id: resp.ID}, nil
		}
		if !errdefs.IsConflict(err) {
			return made{}, e.translate("create container "+r.Name+" of", in.ServerID, err)
		}
		if id, err := e.adopt(ctx, r); err != nil || id != "" {
			return made{id, true}, err
		}
	}
	return made{}, &set.Error{Op: "create container", ID: r.Full, Err: fmt.Errorf("%w: its name is held by a container that cannot be removed", set.ErrUnavailable)}
}

// adopt returns the id of the container that holds r's name if it is what r asks for. If not, and it is
// this host's, it is removed: "" says that the name may be free now.
func (e *Engine) adopt(ctx context.Context, r recipe) (string, error) {
	have, err := e.docker.ContainerInspect(ctx, r.Full)
	if errdefs.IsNotFound(err) { // a create or removal of it is under way in the engine
		select {
		case <-ctx.Done():
			return "", e.translate("create container", r.Full, ctx.Err())
		case <-time.After(50 * time.Millisecond):
			return "", nil
		}
	}
	if err != nil {
		return "", e.translate("create container", r.Full, err)
	}
	labels := have.Config.Labels
	if labels[labelHost] != e.cfg.HostName {
		return "", &set.Error{Op: "create container", ID: r.Full, Err: fmt.Errorf("%w: a container of that name belongs to host %q", set.ErrConflict, labels[labelHost])}
	}
	joins := have.HostConfig.NetworkMode.ConnectedContainer() == r.Host.NetworkMode.ConnectedContainer()
	if labels[labelHash] == r.Config.Labels[labelHash] && joins && !have.State.Dead {
		return have.ID, nil
	}
	return "", e.removeContainer(ctx, have.ID)
}
