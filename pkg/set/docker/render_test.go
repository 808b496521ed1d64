package docker

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

var update = flag.Bool("update", false, "write the golden files anew")

// exampleInstance is a set of a sidecar and two apps that uses every field of the contract.
func exampleInstance() set.Instance {
	a := set.Assignment{
		ServerID: "6f1c", Name: "shop", ProjectID: "demo", Generation: 3, Epoch: 2, Desired: set.DesiredRunning,
		Spec: set.Spec{
			Containers: []set.Container{
				{Name: "logs", Role: set.RoleSidecar, Image: "demo/logs:1", Mounts: []set.Mount{{Volume: "data", Path: "/in", ReadOnly: true}}, StopGrace: set.Duration(2 * time.Second)},
				{Name: "web", Image: "demo/web:1", Command: []string{"/web"}, Args: []string{"--port", "80"}, Env: map[string]string{"B": "2", "A": "1 x"},
					WorkingDir: "/srv", User: "1000:1000", ReadOnly: true, Mounts: []set.Mount{{Volume: "data", Path: "/srv/data"}},
					Resources: set.Resources{CPU: 4000, Memory: 64 << 20, Pids: 50}, StopGrace: set.Duration(1500 * time.Millisecond)},
				{Name: "plain", Role: set.RoleApp, Image: "demo/plain:1", StartAfter: []string{"web"}},
			},
			Volumes:   []set.Volume{{Name: "data"}},
			Resources: set.Resources{CPU: 1500, Memory: 256 << 20, Pids: 200},
			DNS:       []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")},
		},
		Addresses: []set.Address{{Prefix: netip.MustParsePrefix("10.0.0.5/24"), Segment: 7}},
	}
	return set.Instance{Assignment: a, ImageIDs: map[string]string{"logs": "sha256:aa", "web": "sha256:bb", "plain": "sha256:cc"}}
}

func newEngine(t *testing.T, cfg Config) *Engine {
	t.Helper()
	if cfg.Root == "" {
		cfg.Root = t.TempDir()
	}
	cfg.HostName = "host-1"
	e, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestContainersOfASet(t *testing.T) {
	e, in := newEngine(t, Config{Root: "/var/lib/moset"}), exampleInstance()
	recipes := []recipe{e.infraRecipe(in, "sha256:00")}
	for i, c := range in.Spec.Containers {
		recipes = append(recipes, e.memberRecipe(in, c, i+1, "infra-id"))
	}
	for _, r := range recipes {
		got, err := json.MarshalIndent(r, "", "  ")
		require.NoError(t, err)
		golden(t, r.Name+".json", append(got, '\n'))
	}
}

func TestNothingThatATenantWritesOpensTheHost(t *testing.T) {
	e, in := newEngine(t, Config{}), exampleInstance()
	for i, c := range in.Spec.Containers {
		r := e.memberRecipe(in, c, i+1, "infra-id")
		assert.False(t, r.Host.Privileged)
		assert.Empty(t, r.Host.Binds)
		assert.Empty(t, r.Host.Devices)
		assert.Empty(t, r.Host.CapAdd)
		assert.Empty(t, string(r.Host.PidMode))
		assert.Equal(t, []string{"no-new-privileges"}, r.Host.SecurityOpt)
		for _, m := range r.Host.Mounts {
			assert.Equal(t, string(e.dirs(in.ServerID)), m.Source[:len(e.dirs(in.ServerID))], "only files of this server are mounted")
		}
	}
}

func TestTheDefaultsOfASpecDoNotChangeItsHash(t *testing.T) {
	e, in := newEngine(t, Config{}), exampleInstance()
	r := e.memberRecipe(in, in.Spec.Containers[1], 2, "infra-id")
	assert.Equal(t, set.SpecHash(in.Assignment), r.Config.Labels[labelHash], "the Manager compares the hash of what it was given")
	assert.Equal(t, string(set.RoleApp), r.Config.Labels[labelRole])
}

func TestGraceIsWholeSecondsRoundedUp(t *testing.T) {
	for want, c := range map[int]set.Container{
		10: {},
		2:  {StopGrace: set.Duration(1500 * time.Millisecond)},
		30: {StopGrace: set.Duration(30 * time.Second)},
	} {
		assert.Equal(t, want, grace(set.Assignment{}, c))
	}
	assert.Equal(t, 1, grace(set.Assignment{Grace: set.Duration(time.Millisecond)}, set.Container{StopGrace: set.Duration(time.Minute)}))
}

func TestAStopMayTakeTheLongestOfEachRole(t *testing.T) {
	assert.Equal(t, 13*time.Second, longestStop(exampleInstance()), "10s of the apps, 2s of the sidecar, 1s of infra")
}
