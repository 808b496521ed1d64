package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/moset/moset/daemons/allinone/stack"
	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
)

// bridge of the cloud's host.
const cloudBridge = "br-bench"

// cloud is region, host, registry, Keystone box and Glance box in this process, on SQLite and real sockets,
// with the example images pushed, and a client of project demo.
type cloud struct {
	*stack.Stack
	lab     *lab
	http    *http.Client
	servers *setapi.ControllerClient
	friend  friend // a namespace in project demo
}

// cloud starts the cloud when it is first needed.
func (l *lab) cloud(ctx context.Context) (*cloud, error) {
	if l.shared != nil {
		return l.shared, nil
	}
	c := &cloud{lab: l}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{c.connect, c.pushImages, c.attachFriend} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	l.shared = c
	return c, nil
}

func (c *cloud) start(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the lab ends it, after what is on it is gone
	c.Stack, err = stack.Start(ctx, stack.Config{StateDir: filepath.Join(c.lab.dir, "cloud"), Ports: stack.AnyPorts, Bridge: cloudBridge,
		Datapath: "netdev", DockerHost: c.lab.dockerURL, OVSRunDir: c.lab.ovsRunDir, HostName: "bench", Logger: c.lab.logger,
		Capacity: set.Resources{CPU: 1 << 40, Memory: 1 << 50, Pids: 1 << 40}}) // the burst asks for more than a small machine has
	if err != nil {
		cancel()
		return err
	}
	c.lab.onClose(func() error {
		cancel()
		return c.Wait()
	})
	return nil
}

// credentials of a user, as its environment has them.
func (c *cloud) credentials(user string) keystone.Credentials {
	env := c.Environment(user)
	return keystone.Credentials{AuthURL: env["OS_AUTH_URL"], UserName: env["OS_USERNAME"], UserDomainName: env["OS_USER_DOMAIN_NAME"],
		Password: env["OS_PASSWORD"], ProjectName: env["OS_PROJECT_NAME"], ProjectDomainName: env["OS_PROJECT_DOMAIN_NAME"]}
}

// connect authenticates once: the token is used for all calls, as any program with more than one call does.
func (c *cloud) connect(ctx context.Context) error {
	session, err := keystone.Connect(ctx, c.credentials("demo"))
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128 // a burst follows many tasks at the same time
	c.http = &http.Client{Transport: &authn.Transport{Source: session, Base: transport}}
	c.servers = setapi.NewControllerClient(setapi.ClientConfig{URL: c.RegionURL(), HTTP: c.http})
	return nil
}

func (c *cloud) registry() string { return c.Environment("demo")["MOSET_REGISTRY"] }

// image is the name that the engine has an example image by.
func (c *cloud) image(name string) string { return c.registry() + "/demo/" + name }

// pushImages builds the example images and pushes them to project demo; the engine keeps them by name too.
func (c *cloud) pushImages(ctx context.Context) error {
	env := c.Environment("demo")
	return c.lab.commands(ctx,
		[]string{filepath.Join(c.lab.root, "scripts", "images"), c.registry() + "/demo"},
		[]string{"docker", "login", c.registry(), "-u", "demo/demo", "-p", env["OS_PASSWORD"]},
		[]string{"docker", "push", "-q", c.image("web:v1")},
		[]string{"docker", "push", "-q", c.image("logagent:v1")},
	)
}

// commands runs programs against the private engine, each to its end.
func (l *lab) commands(ctx context.Context, list ...[]string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for _, args := range list {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "DOCKER_HOST="+l.dockerURL, "DOCKER_CONFIG="+filepath.Join(l.dir, "docker"), "OVS_RUNDIR="+l.ovsRunDir)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(args[:min(3, len(args))], " "), err, out)
		}
	}
	return nil
}

// remove deletes servers and waits until they are gone.
func (c *cloud) remove(ctx context.Context, ids ...string) error {
	var tasks []string
	for _, id := range ids {
		task, err := c.servers.Delete(ctx, id, set.DeleteOptions{})
		if err != nil {
			return err
		}
		tasks = append(tasks, task.ID)
	}
	for _, id := range tasks {
		task, err := set.Wait(ctx, c.servers, id, nil)
		if err != nil {
			return err
		}
		if task.Fault != nil {
			return fmt.Errorf("delete %s: %s", task.ServerName, task.Fault.Message)
		}
	}
	return nil
}
