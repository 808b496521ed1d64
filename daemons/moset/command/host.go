package command

import (
	"fmt"
	"net/url"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/moset/moset/daemons/region/controller"
)

func (a *app) hostCommand() *cobra.Command {
	c := &cobra.Command{Use: "host", Short: "List and cordon hosts (for admins)"}
	c.AddCommand(a.hostList(), a.hostCordon("cordon", "Give a host no new servers"), a.hostCordon("uncordon", "Give a host new servers again"))
	return c
}

func (a *app) hostList() *cobra.Command {
	c := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List hosts and what is given away of them", Args: cobra.NoArgs}
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		var answer struct{ Hosts []controller.Host }
		err = s.region.call(c.Context(), "GET", "/v1/hosts", nil, &answer)
		if err != nil || a.structured() {
			return errOr(err, func() error { return a.emit(answer.Hosts) })
		}
		var rows []table.Row
		for _, h := range answer.Hosts {
			rows = append(rows, table.Row{h.Name, hostState(h), h.Servers,
				fmt.Sprintf("%.1f of %.1f", float64(h.Used.CPU)/1000, float64(h.Capacity.CPU)/1000),
				fmt.Sprintf("%s of %s", size(int64(h.Used.Memory)), size(int64(h.Capacity.Memory))), ago(h.LastSeen)})
		}
		printTable(a.out, table.Row{"Name", "State", "Servers", "Cores", "Memory", "Seen"}, rows)
		return nil
	}
	return c
}

func hostState(h controller.Host) string {
	switch {
	case !h.Ready:
		return "not ready: " + h.Reason
	case h.Cordoned:
		return "cordoned"
	}
	return "ready"
}

func (a *app) hostCordon(verb, short string) *cobra.Command {
	c := &cobra.Command{Use: verb + " HOST", Short: short, Args: cobra.ExactArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		var h controller.Host
		err = s.region.call(c.Context(), "POST", "/v1/hosts/"+url.PathEscape(args[0])+"/"+verb, nil, &h)
		if err != nil || a.structured() {
			return errOr(err, func() error { return a.emit(h) })
		}
		fmt.Fprintf(a.out, "%s: %s\n", h.Name, hostState(h))
		return nil
	}
	return c
}
