package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// programGap and programTries bound the wait for a container's program: it takes a millisecond or two.
const (
	programGap   = 2 * time.Millisecond
	programTries = 250
)

// initName is what Docker calls the program that runs as PID 1 of a member and starts the tenant's.
const initName = "docker-init"

// noProgram is what the init of a member or runc says of a program that is missing or cannot be executed.
var noProgram = regexp.MustCompile(`(?:exec: "?|\] exec )([^":]*?)"?(?:: | failed: )(.*(?i:not found|no such file or directory|permission denied|exec format error|is a directory)[^:\n]*)`)

// otherStartFaults are further errors of a start that only a changed spec cures.
var otherStartFaults = regexp.MustCompile(`unable to find (?:user|group) [^:]*|not a directory: unknown: Are you trying to mount a directory onto a file`)

// programError carries what the init of a container said before it gave up.
type programError string

func (e programError) Error() string { return string(e) }

// awaitProgram returns when a started member's own program runs. Docker says "started" as soon as the init
// runs, which starts the program and exits with 126 or 127 if it cannot.
func (e *Engine) awaitProgram(ctx context.Context, name string) error {
	pid := 0
	for range programTries {
		if !isThere(pid) { // asking the kernel costs less than asking the engine
			c, err := e.docker.ContainerInspect(ctx, name)
			if err != nil {
				return err
			}
			if !c.State.Running {
				return e.givenUp(ctx, c)
			}
			pid = c.State.Pid
		}
		if programRuns(pid) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(programGap):
		}
	}
	return nil // slow, but nothing is known to be wrong
}

// programRuns says that the init's first child has become another program. A kernel that does not list
// children leaves only the hope that it has.
func programRuns(pid int) bool {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return isThere(pid)
	}
	child, _, _ := strings.Cut(string(children), " ")
	if child == "" {
		return false
	}
	comm, err := os.ReadFile(filepath.Join("/proc", child, "comm"))
	return err == nil && strings.TrimSpace(string(comm)) != initName
}

// isThere says that a process has that number; none has 0.
func isThere(pid int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}

// givenUp turns an exit with 126 or 127 that the init explained into an error. Any other exit is the
// program's own affair.
func (e *Engine) givenUp(ctx context.Context, c container.InspectResponse) error {
	if c.State.ExitCode != 126 && c.State.ExitCode != 127 {
		return nil
	}
	logs, err := e.docker.ContainerLogs(ctx, c.ID, container.LogsOptions{ShowStderr: true, Tail: "5"})
	if err != nil {
		return err
	}
	defer logs.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, logs); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "[FATAL tini") && noProgram.MatchString(line) {
			return programError(line)
		}
	}
	return nil
}

// badProgram says why a container's program cannot be run, "" when err is about something else.
func badProgram(err error) string {
	if err == nil || errors.Is(err, context.Canceled) {
		return ""
	}
	if m := noProgram.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Sprintf("its command %q cannot be run: %s", m[1], strings.TrimSpace(m[2]))
	}
	return otherStartFaults.FindString(err.Error())
}
