package command

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
)

func (a *app) taskCommand() *cobra.Command {
	c := &cobra.Command{Use: "task", Short: "Show and follow tasks"}
	c.AddCommand(a.taskShow(), a.taskWait())
	return c
}

func (a *app) taskShow() *cobra.Command {
	c := &cobra.Command{Use: "show TASK", Short: "Show one task and its steps", Args: cobra.ExactArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		t, err := s.tasks.Task(c.Context(), args[0], 0)
		if err != nil || a.structured() {
			return errOr(err, func() error { return a.emit(t) })
		}
		fmt.Fprintf(a.out, "%s %s: %s\n", t.Verb, t.Subject(), t.State)
		if t.Fault != nil {
			fmt.Fprintln(a.out, t.Fault.Message)
		}
		var rows []table.Row
		for _, st := range t.Steps {
			rows = append(rows, table.Row{st.Name, st.State, fmt.Sprintf("%.3f s", st.EndedAt.Sub(st.StartedAt).Seconds()), st.Message})
		}
		printTable(a.out, table.Row{"Step", "State", "Took", "Message"}, rows)
		return nil
	}
	return c
}

func (a *app) taskWait() *cobra.Command {
	var w waitFlags
	c := &cobra.Command{Use: "wait TASK", Short: "Follow a task to its end", Args: cobra.ExactArgs(1)}
	w.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		t, err := s.tasks.Task(c.Context(), args[0], 0)
		if err != nil {
			return err
		}
		return a.follow(c.Context(), s, w, t)
	}
	return c
}
