// Command kube runs the real kube-scheduler on a fake client, without an API server, and prints one row of JSON.
// bench/sched builds and starts it; bench/README.md says what is measured and what is not.
//
//	go run . -policy pack -profile most -hosts 1000 -racks 50 -sets 4000 -batch 100 -shapes 1000:2048,2000:4096
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kube:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	w, err := parse(args)
	if err != nil {
		return err
	}
	row, err := measure(ctx, w)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(row)
}

// parse reads the workload, which is bench/sched's to choose.
func parse(args []string) (workload, error) {
	var w workload
	flags := flag.NewFlagSet("kube", flag.ContinueOnError)
	flags.StringVar(&w.policy, "policy", "pack", "pack, spread (over racks) or apart (spread, and never two of a job on a host)")
	flags.StringVar(&w.profile, "profile", "default", "default (likes empty hosts) or most (the same with MostAllocated)")
	flags.IntVar(&w.hosts, "hosts", 1000, "hosts of 32 cores and 128 GiB")
	flags.IntVar(&w.racks, "racks", 50, "racks they stand in")
	flags.IntVar(&w.sets, "sets", 4000, "sets to place")
	flags.IntVar(&w.batch, "batch", 100, "sets in a job")
	flags.DurationVar(&w.patience, "patience", 2*time.Minute, "give up when no pod was bound for so long")
	shapes := flags.String("shapes", "1000:2048", "millicores:MiB of the jobs, in turn, separated by commas")
	if err := flags.Parse(args); err != nil {
		return w, err
	}
	if w.policy != "pack" && w.policy != "spread" && w.policy != "apart" {
		return w, fmt.Errorf("there is no policy %q: choose pack, spread or apart", w.policy)
	}
	if w.profile != "default" && w.profile != "most" {
		return w, fmt.Errorf("there is no profile %q: choose default or most", w.profile)
	}
	if w.hosts < 1 || w.racks < 1 || w.sets < 1 || w.batch < 1 {
		return w, fmt.Errorf("%d hosts, %d racks, %d sets by %d: give at least one of each", w.hosts, w.racks, w.sets, w.batch)
	}
	return w, w.parseShapes(*shapes)
}
