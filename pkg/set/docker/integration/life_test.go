package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

func TestTheEngineIsFit(t *testing.T) {
	require.NoError(t, newLab(t).Check(t.Context()))
}

func TestLifeOfASet(t *testing.T) {
	l := newLab(t)
	in := l.instance(
		set.Container{Name: "logs", Role: set.RoleSidecar, Args: []string{"report", "/data/logs", "serve"}},
		set.Container{Name: "web", Args: []string{"report", "/data/web", "serve"}, User: "1000:1000"})

	first, err := l.Prepare(t.Context(), in)
	require.NoError(t, err)
	assert.FileExists(t, first.NetNS)
	f := l.found(in)
	assert.Equal(t, first, f.Sandbox)
	assert.Equal(t, set.SpecHash(in.Assignment), f.SpecHash)
	assert.Equal(t, []set.ContainerState{set.ContainerRunning, set.ContainerCreated, set.ContainerCreated}, states(f))

	require.NoError(t, l.Start(t.Context(), in))
	require.NoError(t, l.Start(t.Context(), in), "again changes nothing")
	f = l.found(in)
	assert.Equal(t, []set.ContainerState{set.ContainerRunning, set.ContainerRunning, set.ContainerRunning}, states(f))
	assert.Equal(t, []string{"infra", "logs", "web"}, names(f))

	require.NoError(t, l.Stop(t.Context(), in))
	require.NoError(t, l.Stop(t.Context(), in), "again changes nothing")
	stopped := l.found(in)
	assert.Equal(t, []set.ContainerState{set.ContainerExited, set.ContainerExited, set.ContainerExited}, states(stopped))
	assert.Empty(t, stopped.Sandbox.NetNS)
	for _, c := range stopped.Containers {
		assert.Zero(t, c.ExitCode, "%s left on TERM", c.Name)
	}

	in.Generation++ // a start is a new generation of the same containers
	second := l.up(in)
	again := l.found(in)
	assert.NotEqual(t, first.ID, second.ID, "a new network namespace is a new sandbox")
	assert.Equal(t, ids(f), ids(again), "containers are used again")
	assert.Contains(t, l.file(in, "web"), "hostname=shop", "volumes live on")

	require.NoError(t, l.Remove(t.Context(), in.ServerID))
	l.requireGone(in.ServerID)
	require.NoError(t, l.Remove(t.Context(), in.ServerID), "again changes nothing")
}

func states(f set.Found) (list []set.ContainerState) {
	for _, c := range f.Containers {
		list = append(list, c.State)
	}
	return list
}

func names(f set.Found) (list []string) {
	for _, c := range f.Containers {
		list = append(list, c.Name)
	}
	return list
}

func ids(f set.Found) (list []string) {
	for _, c := range f.Containers {
		list = append(list, c.ID)
	}
	return list
}

func TestMembersShareNetworkIPCAndVolumes(t *testing.T) {
	l := newLab(t)
	in := l.instance(
		set.Container{Name: "logs", Role: set.RoleSidecar, Args: []string{"report", "/data/logs", "serve"}},
		set.Container{Name: "web", Args: []string{"report", "/data/web", "serve"}, User: "1000:1000", StartAfter: []string{"logs"}})
	in.Addresses = exampleAddresses()
	in.Spec.DNS = exampleDNS()
	sandbox := l.up(in)
	netns, err := os.Readlink(sandbox.NetNS)
	require.NoError(t, err)
	ipc, err := os.Readlink(filepath.Join(filepath.Dir(sandbox.NetNS), "ipc"))
	require.NoError(t, err)
	for _, name := range []string{"logs", "web"} {
		report := l.file(in, name)
		assert.Contains(t, report, "net="+netns+"\n")
		assert.Contains(t, report, "ipc="+ipc+"\n")
		assert.Contains(t, report, "hostname=shop\n")
		assert.Contains(t, report, "--- /etc/hostname\nshop\n")
		assert.Contains(t, report, "10.0.0.5 shop\n")
		assert.Contains(t, report, "nameserver 10.0.0.2\n")
		assert.Contains(t, report, "NoNewPrivs:\t1\n")
	}
	assert.NotEqual(t, line(l.file(in, "logs"), "pid="), line(l.file(in, "web"), "pid="), "processes are apart")
	assert.Contains(t, l.file(in, "web"), "uid=1000\n", "any user can write to a volume")
	assert.False(t, l.status(in, "web").StartedAt.Before(l.status(in, "logs").StartedAt))
}

func line(text, prefix string) string {
	for s := range strings.Lines(text) {
		if strings.HasPrefix(s, prefix) {
			return s
		}
	}
	return ""
}

func TestLimitsHoldForTheSetAndItsContainers(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"serve"}, Resources: set.Resources{CPU: 4000, Memory: 32 << 20, Pids: 40}})
	in.Spec.Resources = set.Resources{CPU: 500, Memory: 64 << 20, Pids: 100}
	l.up(in)
	web := l.status(in, "web").ID
	for file, want := range map[string]string{
		"cpu/%/cpu.cfs_quota_us":                   "50000",
		"memory/%/memory.limit_in_bytes":           "67108864",
		"memory/%/memory.memsw.limit_in_bytes":     "67108864",
		"pids/%/pids.max":                          "100",
		"cpu/%/WEB/cpu.cfs_quota_us":               "50000", // asked for more than the set has
		"memory/%/WEB/memory.limit_in_bytes":       "33554432",
		"memory/%/WEB/memory.memsw.limit_in_bytes": "33554432",
		"pids/%/WEB/pids.max":                      "40",
	} {
		file = strings.NewReplacer("%", strings.TrimPrefix(l.parent, "/")+"/"+in.ServerID, "WEB", web).Replace(file)
		got, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", file))
		require.NoError(t, err, "these are the files of cgroup version 1, which make test runs on")
		assert.Equal(t, want, strings.TrimSpace(string(got)), file)
	}

	in.Spec.Resources = set.Resources{CPU: 250, Memory: 48 << 20} // less, and no limit of processes
	in.Generation++
	l.up(in)
	got, err := os.ReadFile(filepath.Join("/sys/fs/cgroup/pids", l.parent, in.ServerID, "pids.max"))
	require.NoError(t, err)
	assert.Equal(t, "max", strings.TrimSpace(string(got)))
}

func TestAHungryContainerIsKilledAlone(t *testing.T) {
	l := newLab(t)
	var in set.Instance
	var c set.ContainerStatus
	for try := 0; try < 5 && !c.OOMKilled; try++ { // Engine 20.10 forgets it when containerd tells of the end first
		in = l.instance(set.Container{Name: "hungry", Args: []string{"eat", "128", "serve"}, Resources: set.Resources{Memory: 32 << 20}},
			set.Container{Name: "web", Args: []string{"serve"}})
		l.up(in)
		c = l.eventually(in, "hungry", func(c set.ContainerStatus) bool { return c.State == set.ContainerExited })
	}
	assert.True(t, c.OOMKilled)
	assert.Equal(t, 137, c.ExitCode)
	assert.Equal(t, set.ContainerRunning, l.status(in, "web").State)
}

func TestStopGoesFromAppsToInfra(t *testing.T) {
	l := newLab(t)
	in := l.instance(
		set.Container{Name: "logs", Role: set.RoleSidecar, Args: []string{"serve"}},
		set.Container{Name: "deaf", Args: []string{"ignore"}, StopGrace: set.Duration(time.Hour)},
		set.Container{Name: "frozen", Args: []string{"serve"}})
	l.up(in)
	require.NoError(t, l.docker.ContainerPause(t.Context(), l.status(in, "frozen").ID))
	in.Grace = set.Duration(time.Second)
	begun := time.Now()
	require.NoError(t, l.Stop(t.Context(), in))
	assert.Less(t, time.Since(begun), 20*time.Second, "the grace of the stop goes before the container's own")
	assert.Equal(t, 137, l.status(in, "deaf").ExitCode)
	assert.Equal(t, 0, l.status(in, "frozen").ExitCode, "it was woken to see TERM")
	assert.Equal(t, 0, l.status(in, "infra").ExitCode)
	assert.True(t, l.status(in, "deaf").FinishedAt.Before(l.status(in, "logs").FinishedAt))
	assert.True(t, l.status(in, "logs").FinishedAt.Before(l.status(in, "infra").FinishedAt))
}

func TestSuspendFreezesTheMembers(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"serve"}})
	l.up(in)
	for range 2 {
		require.NoError(t, l.Suspend(t.Context(), in))
	}
	assert.Equal(t, set.ContainerPaused, l.status(in, "web").State)
	for range 2 {
		require.NoError(t, l.Resume(t.Context(), in))
	}
	assert.Equal(t, set.ContainerRunning, l.status(in, "web").State)
}
