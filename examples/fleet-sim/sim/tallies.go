package sim

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/moset/moset/pkg/sched"
)

func (t *Tally) add(out Outcome, hosts []sched.Host, requests int) {
	t.Placed, t.Requests = t.Placed+len(out.Placed), t.Requests+requests
	t.Given, t.Asked = t.Given+out.Given, t.Asked+out.Asked
	t.Used, t.Bound = t.Used+inUse(out.Peak), t.Bound+Bound(hosts, out.Held)
}

func (t *Tally) plus(o Tally) {
	t.Placed, t.Requests, t.Used, t.Bound = t.Placed+o.Placed, t.Requests+o.Requests, t.Used+o.Used, t.Bound+o.Bound
	t.Given, t.Asked = t.Given+o.Given, t.Asked+o.Asked
}

// Sum adds the tallies up by policy, or by policy and fleet, in the order they first come.
func Sum(tallies []Tally, byFleet bool) []Tally {
	var sums []Tally
	for _, t := range tallies {
		fleet := "all"
		if byFleet {
			fleet = t.Workload.Fleet
		}
		i := slices.IndexFunc(sums, func(s Tally) bool { return s.Policy == t.Policy && s.Workload.Fleet == fleet })
		if i < 0 {
			i = len(sums)
			sums = append(sums, Tally{Workload: Workload{Fleet: fleet}, Policy: t.Policy})
		}
		sums[i].plus(t)
	}
	return sums
}

// PrintPlaced prints how many requests each policy placed: a line for each workload, and the sums.
func PrintPlaced(out io.Writer, tallies []Tally) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "fleet, mix, load, stay\trequests\t")
	wide := Sum(tallies, false)
	for _, t := range wide {
		fmt.Fprint(w, t.Policy, "\t")
	}
	lines := append(slices.Clone(tallies), Sum(tallies, true)...)
	for i, t := range append(lines, wide...) {
		if i%len(wide) == 0 {
			fmt.Fprint(w, "\n", t.Workload, "\t", t.Requests, "\t")
		}
		fmt.Fprint(w, t.Placed, "\t")
	}
	fmt.Fprint(w, "\nof the work asked for\t\t")
	for _, t := range wide {
		fmt.Fprintf(w, "%.1f %%\t", 100*t.Given/t.Asked)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// PrintUsed prints how many hosts each policy used for each that was needed at the least.
func PrintUsed(out io.Writer, tallies []Tally) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	wide := Sum(tallies, false)
	fmt.Fprint(w, "hosts used / lower bound\t\t")
	for _, t := range wide {
		fmt.Fprint(w, t.Policy, "\t")
	}
	for i, t := range append(slices.Clone(tallies), wide...) {
		if i%len(wide) == 0 {
			fmt.Fprint(w, "\n", t.Workload, "\t", t.Bound, "\t")
		}
		fmt.Fprintf(w, "%.3f\t", float64(t.Used)/float64(max(1, t.Bound)))
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// String names the workload in a table.
func (w Workload) String() string {
	if w.Mix == "" {
		return w.Fleet
	}
	return fmt.Sprintf("%s, %s, %v, %v", w.Fleet, w.Mix, w.Load, w.Stay)
}
