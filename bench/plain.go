package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"

	"github.com/moset/moset/bench/figure"
)

// plain makes the containers of a set by Docker's API alone: create and start, each in turn. The infra
// container is the one moset makes, with the network switched off rather than "none", which is the faster
// of the two; there are no labels, records, addresses, cgroup of the set, hosts file or name servers.
type plain struct {
	docker          *client.Client
	pause, log, web string // images
	logs            string // directory of the volume
}

func newPlain(ctx context.Context, c *cloud) (*plain, error) {
	p := &plain{docker: c.lab.docker, pause: "moset/pause:1", log: c.image("logagent:v1"), web: c.image("web:v1"),
		logs: filepath.Join(c.lab.dir, "plain-logs")}
	if err := os.MkdirAll(p.logs, 0o777); err != nil {
		return nil, err
	}
	_, err := p.docker.Ping(ctx) // settles the version of the API
	return p, err
}

// createOne makes the three containers, measures until the app gives its page to somebody in their
// namespace, and removes them.
func (p *plain) createOne(ctx context.Context, n int) (took time.Duration, err error) {
	begun := time.Now()
	err = p.make(ctx, n)
	return time.Since(begun), errors.Join(err, p.remove(context.WithoutCancel(ctx), n))
}

func plainName(n int, part string) string { return fmt.Sprintf("bench-plain-%d-%s", n, part) }

// make makes the nth set of containers and returns when its page is there.
func (p *plain) make(ctx context.Context, n int) error {
	infra, err := p.run(ctx, plainName(n, "infra"), &container.Config{Image: p.pause, Hostname: "bench", NetworkDisabled: true}, p.infraHost())
	if err != nil {
		return err
	}
	pid := p.pidOf(ctx, infra)
	for _, m := range []struct{ part, image string }{{"log", p.log}, {"web", p.web}} {
		if _, err := p.run(ctx, plainName(n, m.part), &container.Config{Image: m.image}, p.memberHost(infra)); err != nil {
			return err
		}
	}
	found := <-pid
	if found.err != nil {
		return found.err
	}
	return awaitPage(ctx, fmt.Sprintf("/proc/%d/ns/net", found.pid), "http://127.0.0.1/")
}

func (p *plain) remove(ctx context.Context, n int) error {
	var errs []error
	for _, part := range []string{"web", "log", "infra"} {
		err := p.docker.ContainerRemove(ctx, plainName(n, part), container.RemoveOptions{Force: true})
		if !client.IsErrNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// createAtOnce makes as many sets, so many at a time as moset's host does, and measures each from the
// moment all were asked for.
func (p *plain) createAtOnce(ctx context.Context, count, atOnce int) (figure.Samples, error) {
	samples, errs := make(figure.Samples, count), make([]error, count)
	lanes := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	begun := time.Now()
	for n := range count {
		all.Go(func() {
			lanes <- struct{}{}
			defer func() { <-lanes }()
			errs[n] = p.make(ctx, n)
			samples[n] = time.Since(begun)
		})
	}
	all.Wait()
	for n := range count {
		errs = append(errs, p.remove(context.WithoutCancel(ctx), n))
	}
	return samples, errors.Join(errs...)
}

func (p *plain) run(ctx context.Context, name string, c *container.Config, h *container.HostConfig) (string, error) {
	made, err := p.docker.ContainerCreate(ctx, c, h, nil, nil, name)
	if err != nil {
		return "", err
	}
	return made.ID, p.docker.ContainerStart(ctx, made.ID, container.StartOptions{})
}

type pidResult struct {
	pid int
	err error
}

// pidOf asks for a container's process beside what the peer does: only the probe needs it.
func (p *plain) pidOf(ctx context.Context, id string) <-chan pidResult {
	result := make(chan pidResult, 1)
	go func() {
		c, err := p.docker.ContainerInspect(ctx, id)
		if err != nil {
			result <- pidResult{err: err}
			return
		}
		result <- pidResult{pid: c.State.Pid}
	}()
	return result
}

func (p *plain) infraHost() *container.HostConfig {
	return &container.HostConfig{IpcMode: container.IPCModeShareable, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"},
		ReadonlyRootfs: true, LogConfig: container.LogConfig{Type: "none"}}
}

func (p *plain) memberHost(infra string) *container.HostConfig {
	init, pids := true, memberLimits.Pids
	return &container.HostConfig{
		NetworkMode: container.NetworkMode("container:" + infra), IpcMode: container.IpcMode("container:" + infra),
		Mounts:  []mount.Mount{{Type: mount.TypeBind, Source: p.logs, Target: "/var/log/app"}},
		CapDrop: []string{"NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP"}, SecurityOpt: []string{"no-new-privileges"}, Init: &init,
		LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "10m", "max-file": "3"}},
		Resources: container.Resources{NanoCPUs: int64(memberLimits.CPU) * 1e6, Memory: int64(memberLimits.Memory),
			MemorySwap: int64(memberLimits.Memory), PidsLimit: &pids},
	}
}
