package docker

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

func TestGeneratedFiles(t *testing.T) {
	a := exampleInstance().Assignment
	assert.Equal(t, "127.0.0.1 localhost\n::1 localhost\n10.0.0.5 shop\n", hostsFile(a))
	assert.Equal(t, "nameserver 10.0.0.2\nnameserver 10.0.0.3\n", resolvFile(a))
	assert.Empty(t, resolvFile(set.Assignment{}))
}

func TestVolumesAreOpenToContainersAndClosedToTheHost(t *testing.T) {
	e, in := newEngine(t, Config{}), exampleInstance()
	d := e.dirs(in.ServerID)
	require.NoError(t, d.make(in.Assignment))
	volume, err := os.Stat(d.volume("data"))
	require.NoError(t, err)
	assert.Equal(t, os.ModeDir|os.ModeSticky|0o777, volume.Mode())
	server, err := os.Stat(string(d))
	require.NoError(t, err)
	assert.Equal(t, os.ModeDir|0o700, server.Mode(), "a setuid program in a volume must be out of reach")
}

func TestMakingDirectoriesAgainChangesNothing(t *testing.T) {
	e, in := newEngine(t, Config{}), exampleInstance()
	d := e.dirs(in.ServerID)
	require.NoError(t, d.make(in.Assignment))
	require.NoError(t, os.WriteFile(d.volume("data")+"/kept", nil, 0o644))
	require.NoError(t, os.Chmod(d.volume("data"), 0o700))
	require.NoError(t, os.Chmod(d.hosts(), 0o444))
	before, err := os.Stat(d.hosts())
	require.NoError(t, err)

	require.NoError(t, d.make(in.Assignment))
	volume, err := os.Stat(d.volume("data"))
	require.NoError(t, err)
	assert.Equal(t, os.ModeDir|0o700, volume.Mode(), "a database closed its directory and wants it so")
	assert.FileExists(t, d.volume("data")+"/kept")
	after, err := os.Stat(d.hosts())
	require.NoError(t, err)
	assert.Equal(t, before.ModTime(), after.ModTime())
	assert.True(t, os.SameFile(before, after), "containers have this very file mounted")
}

func TestChangedContentKeepsTheFile(t *testing.T) {
	e, in := newEngine(t, Config{}), exampleInstance()
	d := e.dirs(in.ServerID)
	require.NoError(t, d.make(in.Assignment))
	before, err := os.Stat(d.resolv())
	require.NoError(t, err)
	in.Spec.DNS = in.Spec.DNS[:1]
	require.NoError(t, d.make(in.Assignment))
	after, err := os.Stat(d.resolv())
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after))
	text, err := os.ReadFile(d.resolv())
	require.NoError(t, err)
	assert.Equal(t, "nameserver 10.0.0.2\n", string(text))
}
