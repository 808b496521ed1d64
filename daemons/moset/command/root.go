package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// app is what every command shares: where output goes and how to reach the cloud.
type app struct {
	out, errOut io.Writer
	json        bool
	format      string // Go template over the JSON names
	cloud       string // name in clouds.yaml
	regionURL   string // overrides the catalog
	registry    string // host:port that images are pushed to and pulled from; overrides the catalog
	dockerHost  string
	current     *session
}

// Execute runs the command line and returns the exit code.
func Execute(args []string, out, errOut io.Writer) int {
	ctx, cancel := interruptible(context.Background())
	defer cancel()
	a := &app{out: out, errOut: errOut}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(errOut, "moset: "+sentence(err))
	}
	return exitCode(err)
}

// sentence is an error as a person reads it.
func sentence(err error) string {
	if err == context.Canceled { //nolint:errorlint // bare: nothing else is to be said
		return "interrupted"
	}
	return strings.TrimSpace(err.Error())
}

// interruptible ends its context at the first SIGINT or SIGTERM; the second one ends the process as usual.
func interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "moset",
		Short: "Images and servers of a moset cloud",
		Long: `moset is one client for images and for servers (sets of containers) of an OpenStack-style cloud.
It authenticates as the openstack client does: by the OS_* variables or by OS_CLOUD and clouds.yaml.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	c.SetOut(a.out)
	c.SetErr(a.errOut)
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w: %w; see %s --help", errUsage, err, c.CommandPath())
	})
	f := c.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "print JSON instead of tables")
	f.StringVar(&a.format, "format", "", "print through a Go template over the JSON names, such as '{{.id}}'")
	f.StringVar(&a.cloud, "os-cloud", os.Getenv("OS_CLOUD"), "cloud of clouds.yaml to use")
	f.StringVar(&a.regionURL, "region-url", os.Getenv("MOSET_REGION_URL"), "region API, if the catalog's container-set entry is not to be used")
	f.StringVar(&a.registry, "registry", os.Getenv("MOSET_REGISTRY"), "registry as host:port, if the catalog's container-registry entry is not to be used")
	f.StringVar(&a.dockerHost, "docker-host", os.Getenv("DOCKER_HOST"), "Docker Engine for image push and pull")
	c.AddCommand(a.serverCommand(), a.serviceCommand(), a.taskCommand(), a.imageCommand(), a.networkCommand(), a.hostCommand())
	strict(c)
	return c
}
