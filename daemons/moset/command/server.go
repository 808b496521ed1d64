package command

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/moset/moset/pkg/set"
)

func (a *app) serverCommand() *cobra.Command {
	c := &cobra.Command{Use: "server", Aliases: []string{"set", "servers"}, Short: "Create, list, start, stop and delete servers (sets)"}
	c.AddCommand(a.serverCreate(), a.serverFit(), a.serverList(), a.serverShow(), a.serverDelete(),
		a.serverAct(set.VerbStart, "start", "Start a stopped server"),
		a.serverAct(set.VerbStop, "stop", "Stop a server; its address and volumes stay"),
		a.serverAct(set.VerbSync, "sync", "Ask the host again and correct the record"))
	return c
}

func (a *app) serverList() *cobra.Command {
	var opts set.ListOptions
	var labels []string
	c := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the project's servers", Args: cobra.NoArgs}
	c.Flags().StringVar((*string)(&opts.Status), "status", "", "only servers of this status")
	c.Flags().StringSliceVarP(&labels, "label", "l", nil, "only servers with this label: name=value")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := parseLabels(labels, &opts.Labels); err != nil {
			return err
		}
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		servers, err := allServers(c, s.servers, opts)
		if err != nil || a.structured() {
			return errOr(err, func() error { return a.emit(servers) })
		}
		printTable(a.out, table.Row{"ID", "Name", "Status", "Host", "Address", "Images", "Created"}, serverRows(servers))
		return nil
	}
	return c
}

func allServers(c *cobra.Command, from set.Controller, opts set.ListOptions) ([]set.Server, error) {
	all := []set.Server{}
	for {
		page, err := from.List(c.Context(), opts)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Servers...)
		if page.Next == "" {
			return all, nil
		}
		opts.Marker = page.Next
	}
}

func serverRows(servers []set.Server) []table.Row {
	var rows []table.Row
	for _, s := range servers {
		rows = append(rows, table.Row{s.ID, s.Name, s.Status(), orDash(s.Host), addresses(s), images(s), ago(s.CreatedAt)})
	}
	return rows
}

func (a *app) serverShow() *cobra.Command {
	c := &cobra.Command{Use: "show SERVER", Short: "Show one server by id or name", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeServers}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		server, err := s.servers.Get(c.Context(), args[0])
		if err != nil || a.structured() {
			return errOr(err, func() error { return a.emit(server) })
		}
		a.printServer(server)
		return nil
	}
	return c
}

func (a *app) printServer(s set.Server) {
	fields := []table.Row{
		{"id", s.ID}, {"name", s.Name}, {"kind", s.Kind}, {"status", s.Status()}, {"desired", s.Desired},
		{"host", orDash(s.Host)}, {"generation", s.Generation}, {"epoch", s.Epoch}, {"created", ago(s.CreatedAt)},
	}
	for _, ad := range s.Addresses {
		fields = append(fields, table.Row{"address", fmt.Sprintf("%s on %s (%s), in %s, out %s", ad.Prefix.Addr(), ad.Network, ad.MAC, rate(int64(ad.Ingress)), rate(int64(ad.Egress)))})
	}
	if f := s.Fault; f != nil {
		fields = append(fields, table.Row{"fault", f.Message})
	}
	printTable(a.out, table.Row{"Field", "Value"}, fields)
	fmt.Fprintln(a.out)
	var rows []table.Row
	for _, ct := range s.Observed.Containers {
		rows = append(rows, table.Row{ct.Name, ct.Role, ct.State, short(ct.ID), s.Images[ct.Name].Ref, ct.Restarts, ct.ExitCode})
	}
	printTable(a.out, table.Row{"Container", "Role", "State", "ID", "Image", "Restarts", "Exit"}, rows)
}

func addresses(s set.Server) string {
	var list []string
	for _, ad := range s.Addresses {
		list = append(list, ad.Prefix.Addr().String())
	}
	return orDash(strings.Join(list, ","))
}

func images(s set.Server) string {
	var list []string
	for _, ct := range s.Spec.Containers {
		list = append(list, ct.Image)
	}
	return strings.Join(list, ",")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func short(id string) string { return orDash(id[:min(12, len(id))]) }

func errOr(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}
