package docker

import (
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/moset/moset/pkg/set"
)

// recipe is one container to be: a pure rendering of an Instance.
type recipe struct {
	Name   string // in the set: "infra", "web"
	Full   string // the container's name in the engine
	Config container.Config
	Host   container.HostConfig
}

// The profile of an ordinary server: enough for images that start as root and then give up their rights.
var (
	droppedCapabilities = []string{"NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP"}
	securityOptions     = []string{"no-new-privileges"}
	logOptions          = map[string]string{"max-size": "10m", "max-file": "3"}
)

// infraRecipe renders the container that holds network and IPC.
func (e *Engine) infraRecipe(in set.Instance, pauseImage string) recipe {
	infra := string(set.RoleInfra)
	return recipe{
		Name: infra,
		Full: containerName(in.ServerID, infra),
		Config: container.Config{
			Image:           pauseImage,
			Hostname:        in.Name,
			NetworkDisabled: true, // not "--network none": Docker must not touch the namespace at all
			Labels:          e.labels(in.Assignment, infra, set.RoleInfra, 0),
		},
		Host: container.HostConfig{
			IpcMode:        container.IPCModeShareable,
			CapDrop:        []string{"ALL"},
			SecurityOpt:    append([]string{"seccomp=" + pauseSeccomp}, securityOptions...),
			ReadonlyRootfs: true,
			LogConfig:      container.LogConfig{Type: "none"},
			RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
			Resources:      container.Resources{CgroupParent: e.cgroups.path(in.ServerID)},
		},
	}
}

// memberRecipe renders one sidecar or app; order is its place in the spec, from 1.
func (e *Engine) memberRecipe(in set.Instance, c set.Container, order int, infraID string) recipe {
	init := true
	return recipe{
		Name: c.Name,
		Full: containerName(in.ServerID, c.Name),
		Config: container.Config{
			Image:      in.ImageIDs[c.Name],
			Entrypoint: c.Command,
			Cmd:        c.Args,
			Env:        environment(c.Env),
			WorkingDir: c.WorkingDir,
			User:       c.User,
			Labels:     e.labels(in.Assignment, c.Name, roleOf(c), order),
		},
		Host: container.HostConfig{
			NetworkMode:    container.NetworkMode("container:" + infraID),
			IpcMode:        container.IpcMode("container:" + infraID),
			Mounts:         e.mounts(in.ServerID, c),
			CapDrop:        droppedCapabilities,
			SecurityOpt:    securityOptions,
			ReadonlyRootfs: c.ReadOnly,
			Init:           &init, // a shell as PID 1 ignores TERM and leaves zombies
			LogConfig:      container.LogConfig{Type: "json-file", Config: logOptions},
			RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
			Resources:      e.resources(in, c.Resources),
		},
	}
}

// resources are a member's own limits. No swap on top of memory, and no more cores than the set has: the
// kernel refuses the start of a child with more than its parent.
func (e *Engine) resources(in set.Instance, r set.Resources) container.Resources {
	if r.CPU > 0 && in.Spec.Resources.CPU > 0 {
		r.CPU = min(r.CPU, in.Spec.Resources.CPU)
	}
	out := container.Resources{
		CgroupParent: e.cgroups.path(in.ServerID),
		NanoCPUs:     int64(r.CPU) * int64(time.Millisecond), // thousandths of a core in billionths
		Memory:       int64(r.Memory),
		MemorySwap:   int64(r.Memory),
	}
	if r.Pids > 0 {
		out.PidsLimit = &r.Pids
	}
	return out
}

// environment in a fixed order.
func environment(env map[string]string) []string {
	var list []string
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return list
}

// mounts are the files every member needs, then the volumes it asked for.
func (e *Engine) mounts(serverID string, c set.Container) []mount.Mount {
	d := e.dirs(serverID)
	list := []mount.Mount{
		{Type: mount.TypeBind, Source: d.hosts(), Target: "/etc/hosts", ReadOnly: true},
		{Type: mount.TypeBind, Source: d.resolv(), Target: "/etc/resolv.conf", ReadOnly: true},
	}
	for _, m := range c.Mounts {
		list = append(list, mount.Mount{Type: mount.TypeBind, Source: d.volume(m.Volume), Target: m.Path, ReadOnly: m.ReadOnly})
	}
	return list
}

// grace is how long a container may take from TERM to KILL, in whole seconds, rounded up.
func grace(a set.Assignment, c set.Container) int {
	d := time.Duration(c.StopGrace)
	if d == 0 {
		d = 10 * time.Second
	}
	if a.Grace > 0 {
		d = time.Duration(a.Grace)
	}
	return int((d + time.Second - 1) / time.Second)
}
