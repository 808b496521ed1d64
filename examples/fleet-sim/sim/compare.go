package sim

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Comparison asks how many requests each policy places on each of the workloads, from seed 1 to Seeds.
type Comparison struct {
	Policies []string
	Seeds    int
	// Workloads are tried with every seed in place of their own.
	Workloads []Workload
}

// Tally is what one policy came to on one workload, over the seeds.
type Tally struct {
	Workload Workload `json:"workload"`
	Policy   string   `json:"policy"`
	Placed   int      `json:"placed"`
	Requests int      `json:"requests"`
	// Used and Bound are the hosts in use at the peak, and the fewest that could have held as much.
	Used  int `json:"used"`
	Bound int `json:"bound"`
}

// Compare runs it, and hands each tally to see as it comes.
func (c Comparison) Compare(ctx context.Context, see func(Tally)) error {
	for _, w := range c.Workloads {
		tallies := make([]Tally, len(c.Policies))
		for seed := 1; seed <= c.Seeds; seed++ {
			w.Seed = uint64(seed)
			hosts, requests, err := Generate(w)
			if err != nil {
				return err
			}
			for i, name := range c.Policies {
				planner, err := Policy(name, w.Seed)
				if err != nil {
					return err
				}
				out, err := Replay(ctx, Trial{Hosts: hosts, Requests: requests, Planner: planner})
				if err != nil {
					return fmt.Errorf("%s on %s, seed %d: %w", name, w.Fleet, seed, err)
				}
				t := &tallies[i]
				t.Workload, t.Policy = w, name
				t.Placed, t.Requests = t.Placed+len(out.Placed), t.Requests+len(requests)
				t.Used, t.Bound = t.Used+inUse(out.Peak), t.Bound+Bound(hosts, out.Held)
			}
		}
		for _, t := range tallies {
			t.Workload.Seed = 0
			see(t)
		}
	}
	return nil
}

// Quality are the workloads a policy is judged by: every fleet with something scarce, every mix, for good and
// with departures.
func Quality() []Workload {
	var all []Workload
	for _, f := range Fleets()[2:] {
		for _, mix := range Mixes() {
			for _, stay := range []float64{0, .3} {
				all = append(all, Workload{Fleet: f, Mix: mix, Hosts: 120, Stay: stay})
			}
		}
	}
	return all
}

// PrintTallies prints a line for each workload and a column for each policy: requests placed.
func PrintTallies(out io.Writer, tallies []Tally) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	var policies, lines []string
	cells, sum, requests := map[string]int{}, map[string]int{}, map[string]int{}
	for _, t := range tallies {
		line := fmt.Sprintf("%s/%s/%v", t.Workload.Fleet, t.Workload.Mix, t.Workload.Stay)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
		if !slices.Contains(policies, t.Policy) {
			policies = append(policies, t.Policy)
		}
		cells[line+t.Policy], requests[line] = t.Placed, t.Requests
		sum[t.Policy] += t.Placed
	}
	fmt.Fprint(w, "fleet/mix/stay\trequests\t")
	for _, p := range policies {
		fmt.Fprint(w, p, "\t")
	}
	total := 0
	for _, line := range lines {
		total += requests[line]
		fmt.Fprint(w, "\n", line, "\t", requests[line], "\t")
		for _, p := range policies {
			fmt.Fprint(w, cells[line+p], "\t")
		}
	}
	fmt.Fprint(w, "\nin total\t", total, "\t")
	for _, p := range policies {
		fmt.Fprint(w, sum[p], "\t")
	}
	fmt.Fprintln(w)
	return w.Flush()
}
