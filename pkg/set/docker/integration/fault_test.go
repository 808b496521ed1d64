package integration

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

func exampleAddresses() []set.Address {
	return []set.Address{{Prefix: netip.MustParsePrefix("10.0.0.5/24"), Segment: 7}}
}

func exampleDNS() []netip.Addr { return []netip.Addr{netip.MustParseAddr("10.0.0.2")} }

func TestAPrepareCutOffAnywhereIsTakenUpAgain(t *testing.T) {
	l := newLab(t)
	for _, after := range []time.Duration{0, 2, 5, 10, 20, 40, 60, 90, 130} {
		after *= time.Millisecond
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			in := l.instance(set.Container{Name: "a", Args: []string{"serve"}}, set.Container{Name: "b", Args: []string{"serve"}})
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			if _, err := l.Prepare(ctx, in); err != nil {
				require.ErrorIs(t, err, set.ErrUnavailable, "a timeout is no verdict")
			}
			next := l.newEngine()
			_, err := next.Prepare(t.Context(), in)
			require.NoError(t, err)
			require.NoError(t, next.Start(t.Context(), in))
			assert.Equal(t, []string{"infra", "a", "b"}, names(l.found(in)))
		})
	}
}

func TestARemovalCutOffAnywhereIsTakenUpAgain(t *testing.T) {
	l := newLab(t)
	for _, after := range []time.Duration{2, 10, 25, 50, 80, 120} {
		in := l.instance(set.Container{Name: "a", Args: []string{"serve"}}, set.Container{Name: "b", Args: []string{"serve"}})
		l.up(in)
		ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
		_ = l.Remove(ctx, in.ServerID) // whatever it says: what counts is what is left after the next
		cancel()
		require.NoError(t, l.newEngine().Remove(t.Context(), in.ServerID))
		l.requireGone(in.ServerID)
	}
}

func TestAnotherSpecMakesOtherContainersOnTheSameVolumes(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"write", "/data/first", "kept", "serve"}}, set.Container{Name: "old", Args: []string{"serve"}})
	l.up(in)
	l.file(in, "first")
	before := l.found(in)

	in.Spec.Containers = []set.Container{in.Spec.Containers[0]}
	in.Spec.Containers[0].Args = []string{"copy", "/data/first", "/data/second", "serve"}
	in.Generation = 2
	l.up(in)
	after := l.found(in)
	assert.Equal(t, []string{"infra", "web"}, names(after), "what the spec does not name is gone")
	assert.NotEqual(t, before.Containers[1].ID, after.Containers[1].ID)
	assert.Equal(t, uint64(2), after.Generation)
	assert.Equal(t, "kept", l.file(in, "second"))
}

func TestProgramsThatCannotBeRunAreNamed(t *testing.T) {
	l := newLab(t)
	for name, c := range map[string]struct {
		container set.Container
		says      string
	}{
		"missing":        {set.Container{Name: "web", Command: []string{"/nope"}}, `container web: its command "/nope" cannot be run: No such file or directory`},
		"not in PATH":    {set.Container{Name: "web", Command: []string{"nope"}}, `container web: its command "nope" cannot be run: No such file or directory`},
		"not executable": {set.Container{Name: "web", Command: []string{"/notes"}}, `container web: its command "/notes" cannot be run: Permission denied`},
		"unknown user":   {set.Container{Name: "web", User: "joe"}, `container web: unable to find user joe`},
		"mount on file":  {set.Container{Name: "web"}, `container web: not a directory`},
	} {
		t.Run(name, func(t *testing.T) {
			in := l.instance(c.container)
			if name == "mount on file" {
				in.Spec.Containers[0].Mounts[0].Path = "/helper"
			}
			_, err := l.Prepare(t.Context(), in)
			require.NoError(t, err)
			err = l.Start(t.Context(), in)
			require.ErrorIs(t, err, set.ErrInvalid)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestAProgramsOwnExitIsReportedNotJudged(t *testing.T) {
	l := newLab(t)
	for _, code := range []int{0, 3, 126, 127} {
		in := l.instance(set.Container{Name: "web", Args: []string{"exit", fmt.Sprint(code)}})
		l.up(in)
		c := l.eventually(in, "web", func(c set.ContainerStatus) bool { return c.State == set.ContainerExited })
		assert.Equal(t, code, c.ExitCode)
		assert.False(t, c.FinishedAt.IsZero())
	}
}

func TestAnExitIsAnEvent(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"serve"}})
	l.up(in)
	id := l.status(in, "web").ID
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() {
		for ctx.Err() == nil { // the stream may not be open yet
			_ = l.docker.ContainerKill(ctx, id, "KILL") // it is dead from the first on
			_ = l.docker.ContainerStart(ctx, id, container.StartOptions{})
			time.Sleep(50 * time.Millisecond)
		}
	}()
	seen := ""
	for server, err := range l.Events(ctx) {
		require.NoError(t, err)
		seen = server
		break
	}
	cancel()
	assert.Equal(t, in.ServerID, seen)
}

func TestALostInfraContainerMeansANewNetworkForAll(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"report", "/data/web", "serve"}})
	first := l.up(in)
	l.file(in, "web")
	for name, lose := range map[string]func(id string) error{
		"killed": func(id string) error { return l.docker.ContainerKill(t.Context(), id, "KILL") },
		"removed": func(id string) error {
			return l.docker.ContainerRemove(t.Context(), id, container.RemoveOptions{Force: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, lose(l.status(in, "infra").ID))
			assert.Empty(t, l.found(in).Sandbox.NetNS)
			require.NoError(t, os.Remove(filepath.Join(l.root, "servers", in.ServerID, "volumes", "data", "web")))
			second := l.up(in)
			assert.NotEqual(t, first.ID, second.ID)
			netns, err := os.Readlink(second.NetNS)
			require.NoError(t, err)
			assert.Contains(t, l.file(in, "web"), "net="+netns+"\n", "no member stays behind in the old one")
		})
	}
}

func TestAMissingImageIsNotFound(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web"})
	in.ImageIDs["web"] = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	_, err := l.Prepare(t.Context(), in)
	require.ErrorIs(t, err, set.ErrNotFound)
	assert.ErrorContains(t, err, "create container web of "+in.ServerID)
}

func TestAContainerOfSomebodyElseIsLeftAlone(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"serve"}})
	other, err := l.docker.ContainerCreate(t.Context(), &container.Config{Image: l.image}, nil, nil, nil, "moset-"+in.ServerID+"-web")
	require.NoError(t, err)
	_, err = l.Prepare(t.Context(), in)
	require.ErrorIs(t, err, set.ErrConflict)
	_, err = l.docker.ContainerInspect(t.Context(), other.ID)
	require.NoError(t, err)
	require.NoError(t, l.docker.ContainerRemove(t.Context(), other.ID, container.RemoveOptions{}))
}

func TestTheInfraImageComesBack(t *testing.T) {
	l := newLab(t)
	in := l.instance(set.Container{Name: "web", Args: []string{"serve"}})
	l.up(in)
	infra := l.status(in, "infra").Image
	require.NoError(t, l.Remove(t.Context(), in.ServerID))
	_, err := l.docker.ImageRemove(t.Context(), infra, dockerimage.RemoveOptions{Force: true})
	require.NoError(t, err)

	_, err = l.Prepare(t.Context(), in)
	require.ErrorIs(t, err, set.ErrUnavailable, "this engine thought it was there")
	l.up(in)
	assert.Equal(t, infra, l.status(in, "infra").Image, "with the same id")
}
