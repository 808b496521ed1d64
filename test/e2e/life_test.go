package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
)

func TestASetIsReachedByItsProjectAloneAndLeavesNothing(t *testing.T) {
	friend := shared.newOutsider(t, "demo", "friend")
	stranger := shared.newOutsider(t, "alt", "stranger")
	before := shared.footprint(t)

	url := "http://" + shared.createWeb(t, "life", "--ingress", "50Mbit", "--egress", "20Mbit") + "/"
	assert.Contains(t, friend.page(t, url), "life", "the page names its host")
	_, err := stranger.get(t, url)
	assert.Error(t, err, "another project must not get an answer")

	log := shared.containerLog(t, "life", "log")
	assert.Contains(t, log, "GET / "+friend.addr, "the sidecar reads the app's log in the shared volume")

	shared.must(t, "demo", "server", "delete", "life")
	shared.leavesNothing(t, before)
}

func TestStopAndStartKeepAddressAndVolumes(t *testing.T) {
	friend := shared.newOutsider(t, "demo", "friend2")
	address := shared.createWeb(t, "again")
	t.Cleanup(func() { shared.must(t, "demo", "server", "delete", "again") })
	friend.page(t, "http://"+address+"/")
	_, err := friend.get(t, "http://"+address+"/before")
	assert.Error(t, err, "the app has no such page, but logs the request")

	shared.must(t, "demo", "server", "stop", "again")
	assert.Equal(t, "stopped", shared.must(t, "demo", "server", "show", "again", "--format", "{{.observed.state}}"))
	_, err = friend.get(t, "http://"+address+"/")
	require.Error(t, err)

	shared.must(t, "demo", "server", "start", "again")
	assert.Equal(t, address, shared.address(t, "demo", "again"))
	friend.page(t, "http://"+address+"/")
	assert.Contains(t, shared.volumeFile(t, "again", "logs", "access.log"), "GET /before")
	shared.must(t, "demo", "server", "sync", "again")
}

func TestADeadContainerIsStartedAgain(t *testing.T) {
	friend := shared.newOutsider(t, "demo", "friend3")
	address := shared.createWeb(t, "phoenix")
	t.Cleanup(func() { shared.must(t, "demo", "server", "delete", "phoenix") })
	shared.docker(t, "kill", shared.containerID(t, "phoenix", "web"))
	require.Eventually(t, func() bool {
		s := shared.show(t, "phoenix")
		return s.Observed.State == set.StateRunning && status(s, "web").Restarts == 1
	}, 20*time.Second, 100*time.Millisecond)
	friend.page(t, "http://"+address+"/")
}

func TestARestartedCloudAdoptsWhatRuns(t *testing.T) {
	c := newCloud(t, "br-e2e-adopt", nil)
	require.NoError(t, c.pushImages())
	address := c.createWeb(t, "keeper")
	pid := c.docker(t, "inspect", "-f", "{{.State.Pid}}", c.containerID(t, "keeper", "web"))

	c.stop(t)
	c.start(t)
	require.Eventually(t, func() bool { return c.show(t, "keeper").Status() == set.StateRunning }, 20*time.Second, 100*time.Millisecond)
	assert.Equal(t, pid, c.docker(t, "inspect", "-f", "{{.State.Pid}}", c.containerID(t, "keeper", "web")), "nothing was restarted")
	friend := c.newOutsider(t, "demo", "friend4")
	friend.page(t, "http://"+address+"/")
	c.must(t, "demo", "server", "delete", "keeper")
}

func TestTheTreeIsWhatDockerHistorySays(t *testing.T) {
	layers := strings.Fields(shared.must(t, "demo", "image", "show", "demo/web:v1", "--format", "{{range .layers}}{{.diff_id}} {{end}}"))
	tree := shared.must(t, "demo", "image", "tree", "demo/web:v1")
	assert.Len(t, strings.Split(tree, "\n"), len(layers), "one line for each layer")
	shared.must(t, "demo", "image", "pull", "demo/web:v1")
	t.Cleanup(func() { shared.docker(t, "rmi", "demo/web:v1") })
	var local []string
	require.NoError(t, json.Unmarshal([]byte(shared.docker(t, "inspect", "-f", "{{json .RootFS.Layers}}", "demo/web:v1")), &local))
	for i, l := range layers {
		assert.Equal(t, local[len(local)-1-i], l, "top first, by walking the parents")
	}
	assert.Contains(t, shared.must(t, "demo", "image", "exists", "demo/web:v1"), "true")
}

func TestImagesArePushedAndRemovedByTheCommandLine(t *testing.T) {
	shared.must(t, "demo", "image", "pull", "web:v1") // the project's own, unqualified
	t.Cleanup(func() { shared.docker(t, "rmi", "demo/web:v1") })
	shared.must(t, "demo", "image", "push", "demo/web:v1", "--as", "copy:v2")
	list := shared.must(t, "demo", "image", "list", "--format", "{{range .}}{{.repository}}:{{.tag}} {{.id}}\n{{end}}")
	assert.Contains(t, list, "demo/copy:v2")
	shared.must(t, "demo", "image", "rm", "demo/copy:v2")
	shared.fails(t, 1, "demo", "image", "exists", "demo/copy:v2")
}

// show returns a server of project demo.
func (c *cloud) show(t *testing.T, name string) set.Server {
	t.Helper()
	var s set.Server
	require.NoError(t, json.Unmarshal([]byte(c.must(t, "demo", "server", "show", name, "--json")), &s))
	return s
}

func status(s set.Server, container string) set.ContainerStatus {
	for _, c := range s.Observed.Containers {
		if c.Name == container {
			return c
		}
	}
	return set.ContainerStatus{}
}

func (c *cloud) containerID(t *testing.T, server, container string) string {
	t.Helper()
	id := status(c.show(t, server), container).ID
	require.NotEmpty(t, id)
	return id
}

func (c *cloud) docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.command(t.TempDir(), append([]string{"docker"}, args...)...)
	require.NoError(t, err)
	return out
}

// containerLog waits for the log of a container to hold something.
func (c *cloud) containerLog(t *testing.T, server, container string) string {
	t.Helper()
	id := c.containerID(t, server, container)
	var log string
	require.Eventually(t, func() bool {
		log = c.docker(t, "logs", id)
		return strings.Contains(log, "GET ")
	}, 20*time.Second, 50*time.Millisecond)
	return log
}

func (c *cloud) volumeFile(t *testing.T, server, volume, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.cfg.StateDir, "host", "servers", c.show(t, server).ID, "volumes", volume, file))
	require.NoError(t, err)
	return string(b)
}
