package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// Command is what fleet-sim is asked to do.
type Command struct {
	// Hosts and Requests are the paths of the CSV files, read by Replay and written by Generate.
	Hosts, Requests string
	Policy          string
	Seed            uint64
	// JSON prints the result as JSON instead of text.
	JSON bool
	// SVG is the path of the picture; empty is none.
	SVG string
	// Seeds and Size are how many seeds and hosts Compare tries.
	Seeds, Size int
}

// Generate writes the fleet and the requests of the workload.
func (c Command) Generate(w Workload) error {
	hosts, requests, err := Generate(w)
	if err != nil {
		return err
	}
	return errors.Join(
		write(c.Hosts, func(f io.Writer) error { return WriteHosts(f, hosts) }),
		write(c.Requests, func(f io.Writer) error { return WriteRequests(f, requests) }))
}

// Replay replays the files by the policy, prints the result and draws the picture.
func (c Command) Replay(ctx context.Context, out io.Writer) error {
	hosts, err := read(c.Hosts, ReadHosts)
	if err != nil {
		return err
	}
	requests, err := read(c.Requests, ReadRequests)
	if err != nil {
		return err
	}
	planner, err := Policy(c.Policy, c.Seed)
	if err != nil {
		return err
	}
	r, err := Run(ctx, Trial{Hosts: hosts, Requests: requests, Planner: planner})
	if err != nil {
		return err
	}
	r.Policy = c.Policy
	if c.SVG != "" {
		if err := write(c.SVG, func(f io.Writer) error { return Draw(f, "A fleet filled by "+c.Policy, r) }); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(r)
	}
	return r.Print(out)
}

// ErrWorse is a comparison that the policy lost.
var ErrWorse = errors.New("the policy is worse than the best of the others")

// Compare prints what the policy and the simple ones place on the workloads of Quality, and how many hosts they
// use on those of Uniform. It fails with ErrWorse when another one places more in total.
func (c Command) Compare(ctx context.Context, out io.Writer) error {
	policies := append([]string{c.Policy}, Baselines()...)
	tallies, err := Comparison{Policies: policies, Seeds: c.Seeds, Workloads: Quality(c.Size)}.Compare(ctx)
	if err != nil {
		return err
	}
	like, err := Comparison{Policies: policies, Seeds: c.Seeds, Workloads: Uniform(5 * c.Size)}.Compare(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(out).Encode(append(tallies, like...))
	} else {
		err = errors.Join(PrintPlaced(out, tallies), PrintUsed(out, like))
	}
	return errors.Join(err, Worse(tallies))
}

// Worse is ErrWorse when a later policy placed more in total than the first one.
func Worse(tallies []Tally) error {
	sums := Sum(tallies, false)
	for _, t := range sums {
		if t.Placed > sums[0].Placed {
			return fmt.Errorf("%s placed %d and %s %d of %d: %w", sums[0].Policy, sums[0].Placed, t.Policy, t.Placed, t.Requests, ErrWorse)
		}
	}
	return nil
}

// Print prints the result for people.
func (r Result) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "policy\t%s\n", r.Policy)
	fmt.Fprintf(w, "requests placed\t%d of %d, %.1f %% of the work asked for\n", r.Placed, r.Requests, 100*r.Given)
	fmt.Fprintf(w, "hosts used\t%d of %d at the peak, at least %d needed\n", r.Used, r.Hosts, r.Bound)
	for _, s := range r.Resources {
		fmt.Fprintf(w, "%s\t%.1f %% in use; of the free, %.1f %% is where a request for it does not fit\n", s.Name, 100*s.InUse, 100*s.Fragmented)
	}
	fmt.Fprintf(w, "a plan takes\tp50 %.0f µs, p90 %.0f µs, p99 %.0f µs, at most %.0f µs\n", r.Plan.P50, r.Plan.P90, r.Plan.P99, r.Plan.Max)
	return w.Flush()
}

func read[T any](path string, parse func(io.Reader) ([]T, error)) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the CSV file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	rows, err := parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

func write(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	return errors.Join(fill(f), f.Close())
}
