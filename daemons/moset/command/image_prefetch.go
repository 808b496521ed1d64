package command

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set"
)

func (a *app) imagePrefetch() *cobra.Command {
	var req controller.PrefetchRequest
	c := &cobra.Command{Use: "prefetch IMAGE", Short: "Bring an image to hosts before servers need it (for admins)",
		Long: `Bring an image to hosts before servers need it, as ahead of a peak. It returns when every host has the image or
has failed; a host that has it already costs nothing. The exit code is not 0 when a host failed.`,
		Example: "  moset image prefetch demo/web:v1\n  moset image prefetch demo/web:v1 --host host-1,host-2\n  moset image prefetch demo/web:v1 --dry-run",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeImage}
	c.Flags().StringSliceVar(&req.Hosts, "host", nil, "hosts by name, several by commas (default: all that are ready)")
	c.Flags().BoolVar(&req.DryRun, "dry-run", false, "only say how much each host lacks")
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := a.session(c.Context())
		if err != nil {
			return err
		}
		req.Image = args[0]
		var answer struct {
			Image set.Image                   `json:"image"`
			Hosts []controller.PrefetchResult `json:"hosts"`
		}
		if err := s.region.call(c.Context(), "POST", "/v1/images/prefetch", req, &answer); err != nil {
			return err
		}
		if a.structured() {
			err = a.emit(answer)
		} else {
			a.printPrefetch(answer.Hosts, req.DryRun)
		}
		return errOr(err, func() error { return failedOn(answer.Hosts) })
	}
	return c
}

func (a *app) printPrefetch(results []controller.PrefetchResult, dry bool) {
	var rows []table.Row
	for _, r := range results {
		state := "ready"
		switch {
		case r.Error != "":
			state = "failed: " + r.Error
		case dry && r.Bytes > 0:
			state = "lacks it"
		}
		rows = append(rows, table.Row{r.Host, size(int64(r.Bytes)), state})
	}
	printTable(a.out, table.Row{"Host", "Lacked", "State"}, rows)
}

// failedOn is an error when a host does not have the image.
func failedOn(results []controller.PrefetchResult) error {
	var failed []string
	for _, r := range results {
		if r.Error != "" {
			failed = append(failed, r.Host)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d hosts do not have the image: %s", set.ErrUnavailable, len(failed), len(results), strings.Join(failed, ", "))
}
