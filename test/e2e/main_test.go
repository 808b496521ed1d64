// Package e2e holds the tests of the whole: a cloud in process, the real command line, a real Docker Engine
// and a real Open vSwitch. make test provides both.
package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/moset/moset/daemons/allinone/stack"
)

// shared is the cloud most tests use, with the example images pushed to project demo.
var shared *cloud

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	for _, name := range []string{"MOSET_TEST_DOCKER", "MOSET_TEST_OVS_RUNDIR"} {
		if os.Getenv(name) == "" {
			fmt.Fprintf(os.Stderr, "%s is not set: run these tests with make test\n", name)
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "moset-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	shared = &cloud{cfg: config(dir, "br-e2e")}
	if shared.Stack, err = stack.Start(ctx, shared.cfg); err == nil {
		err = shared.pushImages()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	cancel()
	if err := shared.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func config(dir, bridge string) stack.Config {
	return stack.Config{
		StateDir: dir, Ports: stack.AnyPorts, Bridge: bridge, HostName: bridge, Datapath: "netdev",
		DockerHost: os.Getenv("MOSET_TEST_DOCKER"), OVSRunDir: os.Getenv("MOSET_TEST_OVS_RUNDIR"),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}
