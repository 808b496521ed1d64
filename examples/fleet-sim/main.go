// Command fleet-sim replays requests for sets on a fleet of hosts by any scheduling policy, and shows what came of
// it: requests placed, hosts used, fragmentation, the time a plan takes, and a picture of the fleet.
//
//	fleet-sim -hosts hosts.csv -requests requests.csv -policy thrift -svg fleet.svg
//	fleet-sim -generate few-gpus -mix heavy-tailed -seed 7 -hosts hosts.csv -requests requests.csv
//	fleet-sim -compare -seeds 20
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/moset/moset/examples/fleet-sim/sim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "fleet-sim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var c sim.Command
	var w sim.Workload
	compare := false
	f := flag.NewFlagSet("fleet-sim", flag.ContinueOnError)
	f.StringVar(&c.Hosts, "hosts", "hosts.csv", "the hosts, a CSV `file`")
	f.StringVar(&c.Requests, "requests", "requests.csv", "the requests, a CSV `file`")
	f.StringVar(&c.Policy, "policy", "thrift", "one of "+strings.Join(sim.Policies(), ", "))
	f.Uint64Var(&c.Seed, "seed", 1, "breaks ties, draws samples, and generates")
	f.BoolVar(&c.JSON, "json", false, "print JSON")
	f.StringVar(&c.SVG, "svg", "", "draw the fleet at its fullest into this `file`")
	f.StringVar(&w.Fleet, "generate", "", "write the CSV files of a fleet instead: one of "+strings.Join(sim.Fleets(), ", "))
	f.StringVar(&w.Mix, "mix", "ordinary", "what to generate requests of: "+strings.Join(sim.Mixes(), ", "))
	f.IntVar(&w.Hosts, "n", 200, "hosts to generate")
	f.Float64Var(&w.Load, "load", 1, "how much of the fleet the generated requests ask for")
	f.Float64Var(&w.Stay, "stay", 0, "mean lifetime of generated requests as a part of the whole time; 0 is for good")
	f.BoolVar(&compare, "compare", false, "compare the policy with the simple ones on generated fleets instead; fails if it places less")
	f.IntVar(&c.Seeds, "seeds", 20, "seeds to compare over")
	f.IntVar(&c.Size, "size", 80, "hosts to compare on, and five times as many for the fleets of like hosts")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch w.Seed = c.Seed; {
	case compare:
		return c.Compare(ctx, out)
	case w.Fleet != "":
		return c.Generate(w)
	}
	return c.Replay(ctx, out)
}
