package command

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/set"
)

func (a *app) serverAct(v set.Verb, use, short string) *cobra.Command {
	var w waitFlags
	var grace time.Duration
	c := &cobra.Command{Use: use + " SERVER", Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeServers}
	w.add(c)
	if v == set.VerbStop {
		c.Flags().DurationVar(&grace, "grace", 0, "time between TERM and KILL (default: as the spec says)")
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.mutate(c, w, func(ctx context.Context, s *session) (set.Task, error) {
			return s.servers.Act(ctx, args[0], set.Action{Verb: v, Grace: set.Duration(grace), IdempotencyKey: uuid.NewString()})
		})
	}
	return c
}

func (a *app) serverDelete() *cobra.Command {
	var w waitFlags
	c := &cobra.Command{Use: "delete SERVER...", Aliases: []string{"rm"}, Short: "Delete servers and everything they hold", Args: cobra.MinimumNArgs(1), ValidArgsFunction: a.completeServers}
	w.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		var tasks []set.Task
		var errs []error
		for _, ref := range args { // all are on their way before the first is waited for
			task, err := s.servers.Delete(c.Context(), ref, set.DeleteOptions{IdempotencyKey: uuid.NewString()})
			if err != nil {
				errs = append(errs, err)
				continue
			}
			tasks = append(tasks, task)
		}
		for _, task := range tasks {
			errs = append(errs, a.follow(c.Context(), s, w, task))
		}
		return joined(errs)
	}
	return c
}

func (a *app) completeServers(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	s, err := a.session(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	page, err := s.servers.List(c.Context(), set.ListOptions{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, server := range page.Servers {
		names = append(names, server.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
