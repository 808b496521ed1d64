package settest

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// Patience is how long the suites wait for something to happen.
const Patience = 20 * time.Second

// Digest returns a well-formed manifest digest; one letter or digit of hexadecimal makes one digest.
func Digest(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// Assignment returns a valid Assignment of generation 1 and epoch 1: a sidecar, an app that starts after
// it, and a volume that both mount.
func Assignment(id string) set.Assignment {
	mount := []set.Mount{{Volume: "data", Path: "/data"}}
	return set.Assignment{ServerID: id, Name: "web", ProjectID: "project-1", Generation: 1, Epoch: 1, Desired: set.DesiredRunning,
		Spec: set.Spec{Kind: set.KindSet, Fencing: set.FencingKeep, Volumes: []set.Volume{{Name: "data"}},
			Resources: set.Resources{CPU: 500, Memory: 64 << 20},
			Containers: []set.Container{
				{Name: "proxy", Role: set.RoleSidecar, Image: "project/proxy:1", Mounts: mount},
				{Name: "app", Role: set.RoleApp, Image: "project/app:1", Mounts: mount, StartAfter: []string{"proxy"}},
			}},
		Images: map[string]set.Image{
			"proxy": {Ref: "project/proxy:1", Digest: Digest("a"), Size: 1000},
			"app":   {Ref: "project/app:1", Digest: Digest("b"), Size: 2000},
		},
		Addresses: []set.Address{{NetworkID: "net-1", Network: "default", Segment: 7, MAC: "fa:16:3e:00:00:05",
			Prefix: netip.MustParsePrefix("10.0.0.5/24"), Gateway: netip.MustParseAddr("10.0.0.1"), MTU: 1442}}}
}

// Next returns the same Assignment, one generation on, as changed.
func Next(a set.Assignment, change func(*set.Assignment)) set.Assignment {
	a.Generation++
	a.Spec.Containers = slices.Clone(a.Spec.Containers)
	if change != nil {
		change(&a)
	}
	return a
}

// Await polls an Agent until a server's Observation is as wanted, and returns it.
func Await(t testing.TB, a set.Agent, id string, what string, want func(set.Observation) bool) set.Observation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	for {
		list, err := a.Observe(ctx, id)
		require.NoError(t, err)
		if len(list) == 1 && want(list[0]) {
			return list[0]
		}
		if ctx.Err() != nil {
			require.Fail(t, "server "+id+" did not become "+what, "it is %+v", list)
		}
		time.Sleep(time.Millisecond)
	}
}

// AwaitState is Await for a state of a generation; 0 means any.
func AwaitState(t testing.TB, a set.Agent, id string, generation uint64, s set.State) set.Observation {
	t.Helper()
	return Await(t, a, id, string(s), func(o set.Observation) bool {
		return o.State == s && (generation == 0 || o.Generation == generation)
	})
}
