package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/test/process"
)

func TestTheDaemonsWorkAsSeparateProcesses(t *testing.T) {
	programs, err := process.Build(t.TempDir())
	require.NoError(t, err)
	c := process.Start(t, process.Config{Programs: programs, Hosts: []process.Host{{Name: "apart", Bridge: "br-e2e-apart"}}})
	c.PushImages(t)
	c.Must(t, "demo", "server", "create", "apart", "--app", "demo/web:v1", "--memory", "64Mi")
	assert.Contains(t, c.Must(t, "demo", "server", "list"), "running")
	c.Must(t, "demo", "server", "delete", "apart")
	assert.Contains(t, c.Fails(t, 3, "demo", "server", "show", "apart"), "not found")

	t.Run("an interrupted create is taken back", func(t *testing.T) {
		cmd := c.Command("demo", "server", "create", "never", "--app", "demo/web:v1", "--memory", "64Mi")
		var out strings.Builder
		cmd.Stderr = &out
		require.NoError(t, cmd.Start())
		process.Await(t, "the create to be accepted", func() bool { return c.Run(t, "demo", "server", "show", "never").Code == 0 })
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		err := cmd.Wait()
		if cmd.ProcessState.ExitCode() == 0 { // it was ready before the interrupt came
			c.Must(t, "demo", "server", "delete", "never")
			return
		}
		assert.Error(t, err)
		assert.Equal(t, 130, cmd.ProcessState.ExitCode(), out.String())
		assert.Contains(t, out.String(), "interrupted: deleting never")
		c.Fails(t, 3, "demo", "server", "show", "never")
	})
}
