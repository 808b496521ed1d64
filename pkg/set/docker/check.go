package docker

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"

	"github.com/moset/moset/pkg/set"
)

// minAPI is Engine 20.10's.
const minAPI = "1.41"

// Check says whether sets can run: the engine answers, is new enough, is of an architecture there is an
// infra program for, and uses cgroupfs. Without live-restore it warns, or refuses if Config.Strict.
// Errors: set.ErrUnavailable with a sentence that says what to do.
func (e *Engine) Check(ctx context.Context) error {
	ctx, cancel := e.bound(ctx, 0)
	defer cancel()
	ping, err := e.docker.Ping(ctx)
	if err != nil {
		return e.translate("check", "", err)
	}
	info, err := e.docker.Info(ctx)
	if err != nil {
		return e.translate("check", "", err)
	}
	if reason := e.unfit(ping.APIVersion, info); reason != "" {
		return &set.Error{Op: "check", Err: fmt.Errorf("%w: Docker at %s %s", set.ErrUnavailable, e.cfg.Host, reason)}
	}
	if !info.LiveRestoreEnabled {
		e.warnOnce()
	}
	return nil
}

// unfit says what keeps sets from running on an engine, "" when nothing does.
func (e *Engine) unfit(api string, info system.Info) string {
	switch {
	case versions.LessThan(api, minAPI):
		return fmt.Sprintf("speaks API %s: %s is needed, so upgrade it to 20.10 or later", api, minAPI)
	case info.Architecture != "x86_64":
		return fmt.Sprintf("runs on %s: there is an infra image for x86_64 only", info.Architecture)
	case info.CgroupDriver != "cgroupfs":
		return fmt.Sprintf("uses the %s cgroup driver: start it with --exec-opt native.cgroupdriver=cgroupfs", info.CgroupDriver)
	case !info.LiveRestoreEnabled && e.cfg.Strict:
		return "runs without live-restore, so its restart would stop every set: start it with --live-restore"
	}
	return ""
}

func (e *Engine) warnOnce() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.warned {
		e.cfg.Logger.Warn("Docker runs without live-restore: its restart stops every set; start it with --live-restore", "docker", e.cfg.Host)
		e.warned = true
	}
}
