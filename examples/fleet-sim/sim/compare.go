package sim

import (
	"context"
	"fmt"
	"runtime"
	"sync"
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
	// Given and Asked weigh each request by its work; see Outcome.
	Given float64 `json:"given"`
	Asked float64 `json:"asked"`
	// Used and Bound are the hosts in use at the peak, and the fewest that could have held as much.
	Used  int `json:"used"`
	Bound int `json:"bound"`
}

// Quality are the workloads policies are judged by: every fleet with something scarce, every mix, as much as the
// fleet can nearly hold for good, and as much as it can hold with sets that leave.
func Quality(hosts int) []Workload {
	var all []Workload
	for _, f := range Fleets()[2:] {
		for _, mix := range Mixes() {
			all = append(all,
				Workload{Fleet: f, Mix: mix, Hosts: hosts, Load: .95},
				Workload{Fleet: f, Mix: mix, Hosts: hosts, Load: 1, Stay: .4})
		}
	}
	return all
}

// Uniform are the workloads that show how many more hosts than needed are used: like hosts, not filled up.
func Uniform(hosts int) []Workload {
	var all []Workload
	for _, mix := range Mixes() {
		all = append(all, Workload{Fleet: "uniform", Mix: mix, Hosts: hosts, Load: .6})
	}
	return all
}

// Compare has one tally for each workload and policy, in their order.
func (c Comparison) Compare(ctx context.Context) ([]Tally, error) {
	if c.Seeds < 1 || len(c.Policies) == 0 {
		return nil, fmt.Errorf("%d seeds and %d policies are to be compared; give at least one of each", c.Seeds, len(c.Policies))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all := make([]Tally, 0, len(c.Workloads)*len(c.Policies))
	for _, w := range c.Workloads {
		w.Seed = 0
		for _, p := range c.Policies {
			all = append(all, Tally{Workload: w, Policy: p})
		}
	}
	var wg sync.WaitGroup
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range c.Workloads {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			if err := c.tally(ctx, all[i*len(c.Policies):(i+1)*len(c.Policies)]); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return all, context.Cause(ctx)
}

// tally fills in the tallies of one workload.
func (c Comparison) tally(ctx context.Context, tallies []Tally) error {
	for seed := range uint64(c.Seeds) {
		w := tallies[0].Workload
		w.Seed = seed + 1
		hosts, requests, err := Generate(w)
		if err != nil {
			return err
		}
		for i := range tallies {
			planner, err := Policy(tallies[i].Policy, w.Seed)
			if err != nil {
				return err
			}
			out, err := Replay(ctx, Trial{Hosts: hosts, Requests: requests, Planner: planner})
			if err != nil {
				return fmt.Errorf("%s on %s, seed %d: %w", tallies[i].Policy, w.Fleet, w.Seed, err)
			}
			tallies[i].add(out, hosts, len(requests))
		}
	}
	return nil
}
