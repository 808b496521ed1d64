package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set"
)

func (a *app) serverFit() *cobra.Command {
	var f createFlags
	var count int
	c := &cobra.Command{Use: "fit", Short: "Say how many more servers of a spec there is room for, and why not more",
		Long: `Say how many more servers of a spec the hosts have room for, and why not more. It is a create without consequences.
With --count the exit code is 0 when so many fit, and 5 when not.`,
		Example: "  moset server fit --app web=demo/web:v1 --cpu 2 --memory 4Gi\n  moset server fit -f web.yaml --count 32",
		Args:    cobra.NoArgs}
	f.describe(c)
	c.Flags().IntVar(&count, "count", 0, "fail unless so many fit")
	c.RunE = func(c *cobra.Command, _ []string) error {
		req := set.CreateRequest{Name: "fit"} // a file names the server, flags do not
		if err := f.read(nil, c.InOrStdin(), &req, &req.Name, &req.Labels, &req.Spec); err != nil {
			return err
		}
		if count < 0 || count > controller.MaxForecast {
			return fmt.Errorf("%w: --count %d: give one from 1 to %d", errUsage, count, controller.MaxForecast)
		}
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		var answer controller.Forecast
		if err := s.region.call(c.Context(), "POST", "/v1/servers/forecast", controller.ForecastRequest{Spec: req.Spec, Limit: count}, &answer); err != nil {
			return err
		}
		return a.tellFit(answer, count)
	}
	return c
}

// tellFit prints the answer, and fails when fewer fit than are wanted.
func (a *app) tellFit(f controller.Forecast, wanted int) error {
	if a.structured() {
		if err := a.emit(f); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(a.out, fitSentence(f))
	}
	if f.Fit < wanted {
		return fmt.Errorf("%w: %d of %d fit", set.ErrNoCapacity, f.Fit, wanted)
	}
	return nil
}

func fitSentence(f controller.Forecast) string {
	servers, hosts := "servers fit", "hosts"
	if f.Fit == 1 {
		servers = "server fits"
	}
	if f.Hosts == 1 {
		hosts = "host"
	}
	switch {
	case f.Fit == 0:
		return "none fits: " + f.Why
	case f.Limited:
		return fmt.Sprintf("%d %s on %d %s, and more", f.Fit, servers, f.Hosts, hosts)
	}
	return fmt.Sprintf("%d %s on %d %s; for one more %s", f.Fit, servers, f.Hosts, hosts, f.Why)
}
