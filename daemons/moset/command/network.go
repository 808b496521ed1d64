package command

import (
	"fmt"
	"net/netip"
	"net/url"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/moset/moset/daemons/region/ipam"
)

func (a *app) networkCommand() *cobra.Command {
	c := &cobra.Command{Use: "network", Short: "Networks of the project and addresses on them"}
	c.AddCommand(a.networkList(), a.networkShow(), a.networkCreate(), a.networkDelete(), a.networkReserve(), a.networkRelease())
	return c
}

func (a *app) networkList() *cobra.Command {
	c := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List the project's networks", Args: cobra.NoArgs}
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		var answer struct{ Networks []ipam.Network }
		err = s.region.call(c.Context(), "GET", "/v1/networks", nil, &answer)
		return errOr(err, func() error { return a.printNetworks(answer.Networks, answer.Networks) })
	}
	return c
}

// printNetworks shows list as a table, or plain as the structured output.
func (a *app) printNetworks(list []ipam.Network, plain any) error {
	if a.structured() {
		return a.emit(plain)
	}
	var rows []table.Row
	for _, n := range list {
		rows = append(rows, table.Row{n.ID, n.Name, n.CIDR, n.Gateway, n.Segment, n.MTU, fmt.Sprintf("%d of %d", n.InUse, n.Size)})
	}
	printTable(a.out, table.Row{"ID", "Name", "CIDR", "Gateway", "Segment", "MTU", "In use"}, rows)
	return nil
}

func networkPath(ref string) string { return "/v1/networks/" + url.PathEscape(ref) }

func reservationPath(ref, name string) string {
	return networkPath(ref) + "/reservations/" + url.PathEscape(name)
}

func (a *app) networkShow() *cobra.Command {
	c := &cobra.Command{Use: "show NETWORK", Short: "Show one network", Args: cobra.ExactArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		var n ipam.Network
		err = s.region.call(c.Context(), "GET", networkPath(args[0]), nil, &n)
		return errOr(err, func() error { return a.printNetworks([]ipam.Network{n}, n) })
	}
	return c
}

func (a *app) networkCreate() *cobra.Command {
	var req ipam.NetworkRequest
	c := &cobra.Command{Use: "create NAME CIDR", Short: "Make a network", Example: "  moset network create back 10.40.0.0/24", Args: cobra.ExactArgs(2)}
	c.Flags().IntVar(&req.MTU, "mtu", 0, "bytes (default: the region's)")
	c.RunE = func(c *cobra.Command, args []string) error {
		cidr, err := netip.ParsePrefix(args[1])
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		req.Name, req.CIDR = args[0], cidr
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		var n ipam.Network
		err = s.region.call(c.Context(), "POST", "/v1/networks", req, &n)
		return errOr(err, func() error { return a.printNetworks([]ipam.Network{n}, n) })
	}
	return c
}

func (a *app) networkDelete() *cobra.Command {
	c := &cobra.Command{Use: "delete NETWORK", Aliases: []string{"rm"}, Short: "Delete a network nothing uses", Args: cobra.ExactArgs(1)}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		return s.region.call(c.Context(), "DELETE", networkPath(args[0]), nil, nil)
	}
	return c
}

func (a *app) networkReserve() *cobra.Command {
	c := &cobra.Command{Use: "reserve NETWORK NAME", Short: "Hold an address for something the region does not run", Args: cobra.ExactArgs(2)}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		var r ipam.Reservation
		err = s.region.call(c.Context(), "PUT", reservationPath(args[0], args[1]), nil, &r)
		if err != nil || a.structured() {
			return errOr(err, func() error { return a.emit(r) })
		}
		ad := r.Address
		printTable(a.out, table.Row{"Name", "Address", "MAC", "Gateway", "Segment"}, []table.Row{{r.Name, ad.Prefix, ad.MAC, ad.Gateway, ad.Segment}})
		return nil
	}
	return c
}

func (a *app) networkRelease() *cobra.Command {
	c := &cobra.Command{Use: "release NETWORK NAME", Short: "Give a held address back", Args: cobra.ExactArgs(2)}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		return s.region.call(c.Context(), "DELETE", reservationPath(args[0], args[1]), nil, nil)
	}
	return c
}
