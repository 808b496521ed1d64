package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/pkg/set"
)

// createRounds is how many sets are made one after the other, and as many of the peer's.
const createRounds = 20

// memberLimits are those of each container, on both sides.
var memberLimits = set.Resources{CPU: 1000, Memory: 64 << 20, Pids: 128}

// benchCreate measures the time from POST until a page of the app arrives in another namespace of the
// project, beside the same containers by plain Docker calls.
func benchCreate(ctx context.Context, l *lab) ([]figure.Figure, error) {
	c, err := l.cloud(ctx)
	if err != nil {
		return nil, err
	}
	p, err := newPlain(ctx, c)
	if err != nil {
		return nil, err
	}
	var ours, theirs figure.Samples
	var all []life
	for i := range createRounds + 1 { // the first of each side is not counted: it pulls and opens connections
		mine, err := c.createOne(ctx, fmt.Sprintf("bench-%d", i))
		if err != nil {
			return nil, err
		}
		plain, err := p.createOne(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("the peer: %w", err)
		}
		l.detail("create %d: ours %v, docker %v", i, mine.reachable, plain)
		if i > 0 {
			ours, theirs, all = append(ours, mine.reachable), append(theirs, plain), append(all, mine)
		}
	}
	if l.spans {
		showSpans(l, all)
	}
	return []figure.Figure{{Name: "create-to-reachable-p50", Unit: "ms", Ours: figure.Milliseconds(ours.Median()),
		Peer: "docker", Their: figure.Milliseconds(theirs.Median()), Goal: figure.Goal{Bound: 1}}}, nil
}

// life is what was seen of one create, all from the moment before the POST.
type life struct {
	begun     time.Time
	accepted  time.Duration // the 202 was there
	reachable time.Duration // the page was there
	done      time.Duration // the task had ended
	task      set.Task
}

func request(name string) set.CreateRequest {
	logs := []set.Mount{{Volume: "logs", Path: "/var/log/app"}}
	return set.CreateRequest{Name: name, Spec: set.Spec{
		Volumes:   []set.Volume{{Name: "logs"}},
		Resources: set.Resources{CPU: 2 * memberLimits.CPU, Memory: 2 * memberLimits.Memory, Pids: 2 * memberLimits.Pids},
		Containers: []set.Container{
			{Name: "log", Role: set.RoleSidecar, Image: "demo/logagent:v1", Mounts: logs, Resources: memberLimits},
			{Name: "web", Image: "demo/web:v1", Mounts: logs, Resources: memberLimits},
		},
	}}
}

// createOne makes one set, measures, and removes it.
func (c *cloud) createOne(ctx context.Context, name string) (life, error) {
	seen := life{begun: time.Now()}
	task, err := c.servers.Create(ctx, request(name))
	if err != nil {
		return seen, err
	}
	seen.accepted = time.Since(seen.begun)
	err = c.follow(ctx, task, &seen)
	return seen, errors.Join(err, c.remove(context.WithoutCancel(ctx), task.ServerID))
}

// follow waits for the page and for the end of the task. Asking begins when the task says that the containers
// are started, as the peer begins when its last start has returned: to ask before would only take processor
// time from the starts.
func (c *cloud) follow(ctx context.Context, task set.Task, seen *life) error {
	server, err := c.servers.Get(ctx, task.ServerID)
	if err != nil {
		return err
	}
	url := fmt.Sprintf("http://%s/", server.Addresses[0].Prefix.Addr())
	page := make(chan error, 1)
	asking := false
	ask := func() {
		asking = true
		go func() {
			err := awaitPage(ctx, c.friend.ns, url)
			seen.reachable = time.Since(seen.begun)
			page <- err
		}()
	}
	seen.task, err = set.Wait(ctx, c.servers, task.ID, func(t set.Task) {
		if !asking && started(t) {
			ask()
		}
	})
	seen.done = time.Since(seen.begun)
	switch {
	case err != nil:
		return err
	case seen.task.Fault != nil:
		return fmt.Errorf("create %s: %s", task.ServerName, seen.task.Fault.Message)
	case !asking:
		ask()
	}
	return <-page
}

func started(t set.Task) bool {
	for _, s := range t.Steps {
		if s.Name == "start" && s.State == set.StepDone {
			return true
		}
	}
	return false
}
