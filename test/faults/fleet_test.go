package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/test/process"
)

// fleet are servers of project demo, made through a region that may be killed at any moment.
type fleet struct {
	cloud   *process.Cloud
	client  set.Controller
	random  *rand.Rand // of the moments
	made    int
	created []string // ids of all servers seen
}

func newFleet(t *testing.T, c *process.Cloud) *fleet {
	return &fleet{cloud: c, client: c.Client(c.Token(t, "demo"))}
}

func (f *fleet) daemon(name string) *process.Daemon {
	switch name {
	case "region":
		return f.cloud.Region
	case "registry":
		return f.cloud.Registry
	}
	return f.cloud.Host(name)
}

// names are new ones.
func (f *fleet) names(n int) (names []string) {
	for range n {
		f.made++
		names = append(names, fmt.Sprintf("s%d", f.made))
	}
	return names
}

// creates are requests for servers of an app and a sidecar with a volume that both mount.
func (f *fleet) creates(names []string) (requests []func() error) {
	logs := []set.Mount{{Volume: "logs", Path: "/var/log/app"}}
	spec := set.Spec{Volumes: []set.Volume{{Name: "logs"}}, Resources: set.Resources{CPU: 50, Memory: 64 << 20}, Containers: []set.Container{
		{Name: "web", Image: "demo/web:v1", Mounts: logs}, {Name: "log", Role: set.RoleSidecar, Image: "demo/logagent:v1", Mounts: logs}}}
	for _, name := range names {
		requests = append(requests, func() error {
			return insist(func() error {
				_, err := f.client.Create(context.Background(), set.CreateRequest{Name: name, Spec: spec, IdempotencyKey: "create " + name})
				return err
			})
		})
	}
	return requests
}

func (f *fleet) deletes(names []string) (requests []func() error) {
	for _, name := range names {
		requests = append(requests, func() error {
			return insist(func() error {
				_, err := f.client.Delete(context.Background(), name, set.DeleteOptions{IdempotencyKey: "delete " + name})
				return err
			})
		})
	}
	return requests
}

// insist repeats a request, with its idempotency key, until the region answers and has heard of its hosts.
func insist(request func() error) (err error) {
	for deadline := time.Now().Add(process.Patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = request(); !errors.Is(err, set.ErrUnavailable) && !errors.Is(err, set.ErrNoCapacity) {
			break
		}
	}
	return err
}

// list returns the servers by name; no answer counts as none.
func (f *fleet) list() map[string]set.Server {
	page, err := f.client.List(context.Background(), set.ListOptions{})
	if err != nil {
		return nil
	}
	servers := map[string]set.Server{}
	for _, s := range page.Servers {
		servers[s.Name] = s
	}
	return servers
}

// awaitRunning waits until the servers run, and checks that each is there once, whole, with one address.
func (f *fleet) awaitRunning(t *testing.T, names []string) {
	t.Helper()
	var all map[string]set.Server
	process.Await(t, "every server to run", func() bool {
		all = f.list()
		return !slices.ContainsFunc(names, func(name string) bool { return !runs(t, all, name) })
	})
	addresses := map[string]string{}
	for _, s := range all {
		if !slices.Contains(f.created, s.ID) {
			f.created = append(f.created, s.ID)
		}
		require.Len(t, s.Addresses, 1, s.Name)
		address := s.Addresses[0].Prefix.String()
		assert.Empty(t, addresses[address], "%s and %s have the address %s", s.Name, addresses[address], address)
		addresses[address] = s.Name
	}
	for _, name := range names {
		assert.Equal(t, []string{"infra running", "log running", "web running"}, f.containers(t, all[name]), name)
	}
}

func runs(t *testing.T, all map[string]set.Server, name string) bool {
	t.Helper()
	s, ok := all[name]
	require.True(t, ok || all == nil, "the accepted server %s is lost", name)
	require.False(t, s.TaskID == "" && s.Observed.State == set.StateFailed, "%s failed: %+v", name, s.Fault)
	return ok && s.TaskID == "" && s.Settled() && s.Observed.State == set.StateRunning
}

func (f *fleet) awaitGone(t *testing.T, names []string) {
	t.Helper()
	process.Await(t, "every deleted server to be gone", func() bool {
		all := f.list()
		return all != nil && !slices.ContainsFunc(names, func(name string) bool { _, there := all[name]; return there })
	})
}

// containers that the engine has of a server, on whichever host, sorted.
func (f *fleet) containers(t *testing.T, s set.Server) []string {
	t.Helper()
	list := strings.Split(f.cloud.Docker(t, "ps", "-a", "--filter", "label=moset.server="+s.ID, "--format", `{{.Label "moset.name"}} {{.State}}`), "\n")
	slices.Sort(list)
	return list
}
