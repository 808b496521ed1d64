package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/moset/moset/pkg/set"
)

// createFlags describe a server on the command line; a file can say more.
type createFlags struct {
	wait     waitFlags
	file     string
	apps     []string
	sidecars []string
	volumes  []string
	env      []string
	labels   []string
	network  string
	ingress  string
	egress   string
	cpu      string
	memory   string
	pids     int64
}

const createExample = `  moset server create web --app web=demo/web:v1 --sidecar log=demo/logagent:v1 \
      --volume logs:/var/log/app --egress 20Mbit
  moset server create web --count 32 --app web=demo/web:v1
  moset server create -f web.yaml`

func (a *app) serverCreate() *cobra.Command {
	var f createFlags
	var stopped bool
	req := set.BatchRequest{}
	c := &cobra.Command{Use: "create [NAME]", Short: "Create a server, or many alike, and wait until they run", Example: createExample, Args: cobra.MaximumNArgs(1)}
	f.add(c)
	c.Flags().BoolVar(&stopped, "stopped", false, "do not start it")
	c.Flags().IntVar(&req.Count, "count", 0, "create so many at once, called NAME-1, NAME-2 and so on")
	c.Flags().BoolVar(&req.AllOrNothing, "all-or-nothing", false, "with --count: rather none than fewer")
	c.RunE = func(c *cobra.Command, args []string) error {
		one := &req.CreateRequest
		one.IdempotencyKey = uuid.NewString()
		if stopped {
			one.Desired = set.DesiredStopped
		}
		many := c.Flags().Changed("count")
		if req.AllOrNothing && !many {
			return fmt.Errorf("%w: --all-or-nothing needs --count", errUsage)
		}
		if err := f.read(args, c.InOrStdin(), one, &one.Name, &one.Labels, &one.Spec); err != nil {
			return err
		}
		if many {
			return a.createBatch(c, f.wait, req)
		}
		return a.create(c, f.wait, *one)
	}
	return c
}

func (f *createFlags) add(c *cobra.Command) {
	f.wait.add(c)
	f.describe(c)
}

// describe adds the flags that say what a server is.
func (f *createFlags) describe(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVarP(&f.file, "file", "f", "", "YAML or JSON file with name and spec; - for standard input")
	fl.StringArrayVar(&f.apps, "app", nil, "app container: NAME=IMAGE or IMAGE; can be repeated")
	fl.StringArrayVar(&f.sidecars, "sidecar", nil, "sidecar container: NAME=IMAGE; can be repeated")
	fl.StringArrayVar(&f.volumes, "volume", nil, "volume every container mounts: NAME:/PATH; can be repeated")
	fl.StringArrayVarP(&f.env, "env", "e", nil, "environment of the apps: NAME=VALUE; can be repeated")
	fl.StringArrayVarP(&f.labels, "label", "l", nil, "label: NAME=VALUE; can be repeated")
	fl.StringVar(&f.network, "network", "", "network by name or id (default: the project's default network)")
	fl.StringVar(&f.ingress, "ingress", "", "limit of traffic to the set, such as 100Mbit")
	fl.StringVar(&f.egress, "egress", "", "limit of traffic from the set, such as 100Mbit")
	fl.StringVar(&f.cpu, "cpu", "", "limit of the set in cores (1.5) or millicores (500m)")
	fl.StringVar(&f.memory, "memory", "", "limit of the set, such as 256Mi")
	fl.Int64Var(&f.pids, "pids", 0, "limit of processes and threads in the set")
}

// read fills a request of any kind from the file, if there is one, and name, labels and spec in it from the
// arguments and flags.
func (f *createFlags) read(args []string, stdin io.Reader, req any, name *string, labels *map[string]string, spec *set.Spec) error {
	if f.file != "" {
		if err := readRequest(f.file, stdin, req); err != nil {
			return err
		}
	}
	if len(args) == 1 {
		*name = args[0]
	}
	if *name == "" {
		return fmt.Errorf("%w: a name is needed, as an argument or in the file", errUsage)
	}
	if err := f.containers(spec); err != nil {
		return err
	}
	if err := f.limits(spec); err != nil {
		return err
	}
	return parseLabels(f.labels, labels)
}

func readRequest(file string, stdin io.Reader, req any) error {
	b, err := readFileOrStdin(file, stdin)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := yaml.UnmarshalStrict(b, req); err != nil {
		return fmt.Errorf("%w: %s: %w", errUsage, file, err)
	}
	return nil
}

func readFileOrStdin(file string, stdin io.Reader) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(file)
}

func (f *createFlags) containers(spec *set.Spec) error {
	var mounts []set.Mount
	for _, v := range f.volumes {
		name, path, ok := strings.Cut(v, ":")
		if !ok {
			return fmt.Errorf("%w: --volume %q is not NAME:/PATH", errUsage, v)
		}
		spec.Volumes = append(spec.Volumes, set.Volume{Name: name})
		mounts = append(mounts, set.Mount{Volume: name, Path: path})
	}
	env, err := parsePairs("--env", f.env)
	if err != nil {
		return err
	}
	for _, s := range f.sidecars {
		spec.Containers = append(spec.Containers, container(s, set.RoleSidecar, mounts, nil))
	}
	for _, s := range f.apps {
		spec.Containers = append(spec.Containers, container(s, set.RoleApp, mounts, env))
	}
	return nil
}

// container reads NAME=IMAGE; without a name the image's own last element is it.
func container(s string, role set.Role, mounts []set.Mount, env map[string]string) set.Container {
	name, image, ok := strings.Cut(s, "=")
	if !ok {
		image = s
		name = s[strings.LastIndex(s, "/")+1:]
		name, _, _ = strings.Cut(name, "@")
		name, _, _ = strings.Cut(name, ":")
	}
	return set.Container{Name: name, Role: role, Image: image, Mounts: mounts, Env: env}
}

func (f *createFlags) limits(spec *set.Spec) error {
	quantities := []struct {
		flag, text string
		into       *int64
		parse      func(string) (int64, error)
	}{
		{"--cpu", f.cpu, (*int64)(&spec.Resources.CPU), func(s string) (int64, error) { n, err := set.ParseMilliCPU(s); return int64(n), err }},
		{"--memory", f.memory, (*int64)(&spec.Resources.Memory), func(s string) (int64, error) { n, err := set.ParseBytes(s); return int64(n), err }},
		{"--ingress", f.ingress, (*int64)(&f.net(spec).Ingress), parseRate},
		{"--egress", f.egress, (*int64)(&f.net(spec).Egress), parseRate},
	}
	for _, q := range quantities {
		if q.text == "" {
			continue
		}
		n, err := q.parse(q.text)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", errUsage, q.flag, err)
		}
		*q.into = n
	}
	if f.pids != 0 {
		spec.Resources.Pids = f.pids
	}
	return nil
}

func parseRate(s string) (int64, error) {
	n, err := set.ParseBitRate(s)
	return int64(n), err
}

// net is the one network of the spec, as the flags and the file name it.
func (f *createFlags) net(spec *set.Spec) *set.NetworkRequest {
	if len(spec.Networks) == 0 {
		spec.Networks = []set.NetworkRequest{{}}
	}
	if f.network != "" {
		spec.Networks[0].Network = f.network
	}
	return &spec.Networks[0]
}

// create posts the request and follows it; an interrupt takes back what was begun.
func (a *app) create(c *cobra.Command, w waitFlags, req set.CreateRequest) error {
	s, err := a.session(c.Context())
	if err != nil {
		return err
	}
	task, err := s.servers.Create(c.Context(), req)
	if err != nil {
		return err
	}
	err = a.follow(c.Context(), s, w, task)
	if errors.Is(err, context.Canceled) {
		return a.takeBack(s, task)
	}
	return err
}

// takeBack deletes a server whose creation was interrupted, with a context of its own.
func (a *app) takeBack(s *session, task set.Task) error {
	fmt.Fprintf(a.errOut, "interrupted: deleting %s (interrupt again to leave it)\n", task.Subject())
	ctx, cancel := interruptible(context.Background())
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	del, err := s.servers.Delete(ctx, task.ServerID, set.DeleteOptions{})
	if err == nil {
		_, err = set.Wait(ctx, s.tasks, del.ID, nil)
	}
	if err != nil && !errors.Is(err, set.ErrNotFound) {
		return fmt.Errorf("interrupted, and %s is left: delete it with: moset server delete %s: %w", task.Subject(), task.ServerID, err)
	}
	return context.Canceled
}
