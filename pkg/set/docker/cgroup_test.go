package docker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

// written renders limits as "file=value" lines.
func written(limits []limit) []string {
	var list []string
	for _, l := range limits {
		list = append(list, l.file+"="+l.value)
	}
	return list
}

func TestLimitsOfASet(t *testing.T) {
	all := set.Resources{CPU: 1500, Memory: 64 << 20, Pids: 100}
	for name, c := range map[string]struct{ got, want []string }{
		"version 1": {written(limitsV1(all)), []string{"cpu.shares=1536", "cpu.cfs_quota_us=150000", "memory.memsw.limit_in_bytes=-1",
			"memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=67108864", "pids.max=100"}},
		"version 1, none": {written(limitsV1(set.Resources{})), []string{"cpu.shares=1024", "cpu.cfs_quota_us=-1", "memory.memsw.limit_in_bytes=-1",
			"memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1", "pids.max=max"}},
		"version 2":       {written(limitsV2(all)), []string{"cpu.weight=150", "cpu.max=150000 100000", "memory.max=67108864", "memory.swap.max=0", "pids.max=100"}},
		"version 2, none": {written(limitsV2(set.Resources{})), []string{"cpu.weight=100", "cpu.max=max 100000", "memory.max=max", "memory.swap.max=max", "pids.max=max"}},
		"the least":       {written(limitsV1(set.Resources{CPU: 1}))[:2], []string{"cpu.shares=2", "cpu.cfs_quota_us=100"}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, c.got) })
	}
}

// fakeHierarchies are directories with the control files that the kernel would make.
func fakeHierarchies(t *testing.T, serverID string, limits []limit) cgroups {
	t.Helper()
	c := cgroups{root: t.TempDir(), parent: "/moset"}
	for _, l := range limits {
		dir := filepath.Join(c.root, l.controller, c.path(serverID))
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, l.file), nil, 0o644))
	}
	return c
}

func TestLimitsAreWrittenIntoEveryHierarchy(t *testing.T) {
	r := set.Resources{CPU: 500, Memory: 32 << 20, Pids: 20}
	for name, limits := range map[string][]limit{"version 1": limitsV1(r), "version 2": limitsV2(r)} {
		t.Run(name, func(t *testing.T) {
			c := fakeHierarchies(t, "6f1c", limits)
			if name == "version 2" {
				require.NoError(t, os.WriteFile(filepath.Join(c.root, "cgroup.controllers"), nil, 0o644))
			}
			require.NoError(t, c.make("6f1c", r))
			for _, l := range limits {
				text, err := os.ReadFile(filepath.Join(c.root, l.controller, c.path("6f1c"), l.file))
				require.NoError(t, err)
				assert.True(t, strings.HasPrefix(string(text), l.value) || l.value == "-1", "%s holds %s", l.file, text)
			}
		})
	}
}

func TestAMissingControllerIsNamedWhenALimitNeedsIt(t *testing.T) {
	c := fakeHierarchies(t, "6f1c", slices.DeleteFunc(limitsV1(set.Resources{}), func(l limit) bool { return l.controller == "pids" }))
	require.NoError(t, c.make("6f1c", set.Resources{CPU: 100}), "nothing is asked of the missing one")
	err := c.make("6f1c", set.Resources{CPU: 100, Pids: 9})
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.Contains(t, err.Error(), "pids.max=9")
}

func TestControllersAreHandedDownFromTheRoot(t *testing.T) {
	got := slices.Collect(ancestors("/sys/fs/cgroup", "/sys/fs/cgroup/cloud/moset"))
	assert.Equal(t, []string{"/sys/fs/cgroup", "/sys/fs/cgroup/cloud", "/sys/fs/cgroup/cloud/moset"}, got)
}

func TestCgroupsAreRemovedWithTheirChildren(t *testing.T) {
	c := cgroups{root: t.TempDir(), parent: "/moset"}
	for _, dir := range []string{"cpu/moset/6f1c/container/inner", "pids/moset/6f1c", "moset/6f1c", "cpu/moset/other"} {
		require.NoError(t, os.MkdirAll(filepath.Join(c.root, dir), 0o755))
	}
	require.NoError(t, c.remove("6f1c"))
	require.NoError(t, c.remove("6f1c"), "again")
	left, err := filepath.Glob(filepath.Join(c.root, "*", "moset", "*"))
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(c.root, "cpu/moset/other")}, left)
	assert.NoDirExists(t, filepath.Join(c.root, "moset/6f1c"))
}
