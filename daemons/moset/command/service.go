package command

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/set"
)

func (a *app) serviceCommand() *cobra.Command {
	c := &cobra.Command{Use: "service", Aliases: []string{"services"}, Short: "Create, scale and delete services: many servers of one spec"}
	c.AddCommand(a.serviceCreate(), a.serviceList(), a.serviceShow(), a.serviceScale(), a.serviceDelete())
	return c
}

func (a *app) serviceCreate() *cobra.Command {
	var f createFlags
	var replicas int
	var req set.ServiceRequest
	c := &cobra.Command{Use: "create [NAME]", Short: "Create a service and wait until its servers run", Args: cobra.MaximumNArgs(1),
		Example: "  moset service create web --replicas 3 --app web=demo/web:v1"}
	f.add(c)
	c.Flags().IntVar(&replicas, "replicas", 1, "servers wanted")
	c.RunE = func(c *cobra.Command, args []string) error {
		req.Replicas, req.IdempotencyKey = replicas, uuid.NewString()
		if err := f.read(args, c.InOrStdin(), &req, &req.Name, &req.Labels, &req.Spec); err != nil {
			return err
		}
		if c.Flags().Changed("replicas") {
			req.Replicas = replicas
		}
		return a.mutate(c, f.wait, func(ctx context.Context, s *session) (set.Task, error) { return s.servers.CreateService(ctx, req) })
	}
	return c
}

func (a *app) serviceScale() *cobra.Command {
	var w waitFlags
	scale := set.Scale{}
	c := &cobra.Command{Use: "scale SERVICE", Short: "Change the number of servers", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeServices,
		Example: "  moset service scale web --replicas 10"}
	w.add(c)
	c.Flags().IntVar(&scale.Replicas, "replicas", 0, "servers wanted")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !c.Flags().Changed("replicas") {
			return fmt.Errorf("%w: --replicas is needed: moset service scale SERVICE --replicas N", errUsage)
		}
		scale.IdempotencyKey = uuid.NewString()
		return a.mutate(c, w, func(ctx context.Context, s *session) (set.Task, error) {
			return s.servers.ScaleService(ctx, args[0], scale)
		})
	}
	return c
}

func (a *app) serviceDelete() *cobra.Command {
	var w waitFlags
	c := &cobra.Command{Use: "delete SERVICE", Aliases: []string{"rm"}, Short: "Delete a service with all its servers", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeServices}
	w.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.mutate(c, w, func(ctx context.Context, s *session) (set.Task, error) {
			return s.servers.DeleteService(ctx, args[0], set.DeleteOptions{IdempotencyKey: uuid.NewString()})
		})
	}
	return c
}

func (a *app) serviceList() *cobra.Command {
	c := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the project's services", Args: cobra.NoArgs}
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		list, err := s.servers.ListServices(c.Context())
		if err != nil || a.structured() {
			return errOr(err, func() error { return a.emit(list) })
		}
		var rows []table.Row
		for _, svc := range list {
			rows = append(rows, table.Row{svc.ID, svc.Name, fmt.Sprintf("%d/%d", svc.Running, svc.Replicas), images(set.Server{Spec: svc.Spec}), ago(svc.CreatedAt)})
		}
		printTable(a.out, table.Row{"ID", "Name", "Running", "Images", "Created"}, rows)
		return nil
	}
	return c
}

func (a *app) serviceShow() *cobra.Command {
	c := &cobra.Command{Use: "show SERVICE", Short: "Show one service by id or name", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeServices}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		svc, err := s.servers.GetService(c.Context(), args[0])
		if err != nil || a.structured() {
			return errOr(err, func() error { return a.emit(svc) })
		}
		fields := []table.Row{{"id", svc.ID}, {"name", svc.Name}, {"replicas", svc.Replicas}, {"servers", svc.Servers}, {"running", svc.Running},
			{"generation", svc.Generation}, {"task", orDash(svc.TaskID)}, {"created", ago(svc.CreatedAt)}}
		if svc.Fault != nil {
			fields = append(fields, table.Row{"fault", svc.Fault.Message})
		}
		printTable(a.out, table.Row{"Field", "Value"}, fields)
		return nil
	}
	return c
}

func (a *app) completeServices(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	s, err := a.session(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list, err := s.servers.ListServices(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, svc := range list {
		names = append(names, svc.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
