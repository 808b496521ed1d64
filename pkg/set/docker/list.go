package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/moset/moset/pkg/set"
)

// List implements set.Engine. A server of which only volumes are left, by a removal cut off, is found too.
func (e *Engine) List(ctx context.Context, serverIDs ...string) ([]set.Found, error) {
	ctx, cancel := e.bound(ctx, 0)
	defer cancel()
	byServer, err := e.byServer(ctx, serverIDs)
	if err != nil {
		return nil, err
	}
	leftovers, err := e.leftovers(serverIDs)
	if err != nil {
		return nil, e.translate("list", "", err)
	}
	for _, id := range leftovers {
		byServer[id] = append(byServer[id], nil...)
	}
	list := make([]set.Found, 0, len(byServer))
	for _, server := range slices.Sorted(maps.Keys(byServer)) {
		list = append(list, foundOf(server, byServer[server]))
	}
	return list, nil
}

func (e *Engine) byServer(ctx context.Context, serverIDs []string) (map[string][]container.InspectResponse, error) {
	if len(serverIDs) == 0 {
		serverIDs = []string{""}
	}
	found := map[string][]container.InspectResponse{}
	for _, id := range serverIDs {
		all, err := e.inspectAll(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			server := c.Config.Labels[labelServer]
			found[server] = append(found[server], c)
		}
	}
	return found, nil
}

// leftovers are the servers that have a directory; of those named, or of all.
func (e *Engine) leftovers(serverIDs []string) ([]string, error) {
	entries, err := os.ReadDir(e.serversDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var ids []string
	for _, entry := range entries {
		named := len(serverIDs) == 0 || slices.Contains(serverIDs, entry.Name())
		if named && idPattern.MatchString(entry.Name()) {
			ids = append(ids, entry.Name())
		}
	}
	return ids, nil
}

// containers of a server, or of all servers for "", running or not.
func (e *Engine) containers(ctx context.Context, serverID string) ([]container.Summary, error) {
	if err := e.negotiate(ctx); err != nil {
		return nil, err
	}
	return e.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: e.mine(serverID)})
}

// inspectAll returns the containers of a server, or of all servers for "", infra first. Ones that vanish meanwhile are left out.
func (e *Engine) inspectAll(ctx context.Context, serverID string) ([]container.InspectResponse, error) {
	list, err := e.containers(ctx, serverID)
	if err != nil {
		return nil, e.translate("list", serverID, err)
	}
	var mu sync.Mutex
	var all []container.InspectResponse
	err = parallel(list, func(s container.Summary) error {
		c, err := e.docker.ContainerInspect(ctx, s.ID)
		if errdefs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return e.translate("list", serverID, err)
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, c)
		return nil
	})
	slices.SortFunc(all, func(a, b container.InspectResponse) int {
		return cmp.Compare(labelNumber(a.Config.Labels, labelOrder), labelNumber(b.Config.Labels, labelOrder))
	})
	return all, err
}

func foundOf(server string, containers []container.InspectResponse) set.Found {
	f := set.Found{ServerID: server}
	for _, c := range containers {
		l := c.Config.Labels
		f.Generation, f.Epoch = max(f.Generation, labelNumber(l, labelGeneration)), max(f.Epoch, labelNumber(l, labelEpoch))
		if set.Role(l[labelRole]) == set.RoleInfra {
			f.SpecHash, f.Sandbox = l[labelHash], sandboxOf(c)
		}
		f.Containers = append(f.Containers, statusOf(c))
	}
	return f
}

// sandboxOf names the incarnation of a running infra container; each start makes a new namespace.
func sandboxOf(c container.InspectResponse) set.Sandbox {
	if !c.State.Running || c.State.Pid == 0 {
		return set.Sandbox{ID: c.ID}
	}
	return set.Sandbox{ID: c.ID + "@" + c.State.StartedAt, NetNS: fmt.Sprintf("/proc/%d/ns/net", c.State.Pid)}
}

func statusOf(c container.InspectResponse) set.ContainerStatus {
	s := set.ContainerStatus{
		Name: c.Config.Labels[labelName], Role: set.Role(c.Config.Labels[labelRole]), ID: c.ID, Image: c.Image,
		State: set.ContainerExited, OOMKilled: c.State.OOMKilled, Message: c.State.Error,
		StartedAt: timeOf(c.State.StartedAt), FinishedAt: timeOf(c.State.FinishedAt),
	}
	switch {
	case c.State.Paused:
		s.State = set.ContainerPaused
	case c.State.Running:
		s.State = set.ContainerRunning
	case c.State.Status == container.StateCreated:
		s.State = set.ContainerCreated
	default:
		s.ExitCode = c.State.ExitCode
	}
	return s
}

// timeOf reads Docker's timestamps; the year 1 stands for "never".
func timeOf(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}
