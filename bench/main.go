// Command bench measures moset beside what people would otherwise use, on private daemons, and prints one
// line for each figure in the form of bench/figure. make bench runs it; README.md says what each side does.
//
//	go run ./bench -only create,burst -spans -cpuprofile cpu.out
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/moset/moset/bench/figure"
	"github.com/moset/moset/bench/profile"
)

// benchmark measures one or more figures.
type benchmark struct {
	name string
	run  func(ctx context.Context, l *lab) ([]figure.Figure, error)
}

// benchmarks in the order in which they run.
func benchmarks() []benchmark {
	return []benchmark{
		{"create", benchCreate},
		{"burst", benchBurst},
		{"attach", benchAttach},
		{"pull", benchPull},
		{"accept", benchAccept},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	var l lab
	var p profile.Profile
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "run these only, with commas between: "+strings.Join(names(), ", "))
	flags.BoolVar(&l.spans, "spans", false, "show where the time of a create goes")
	flags.BoolVar(&l.verbose, "v", false, "show every sample")
	p.Flags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	if err := l.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	return l.measure(ctx, chosen)
}

func names() []string {
	var list []string
	for _, b := range benchmarks() {
		list = append(list, b.name)
	}
	return list
}

// choose returns the benchmarks of a comma separated list; all for none.
func choose(only string) ([]benchmark, error) {
	if only == "" {
		return benchmarks(), nil
	}
	wanted := strings.Split(only, ",")
	for _, name := range wanted {
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("there is no bench %q: -only takes %s", name, strings.Join(names(), ", "))
		}
	}
	return slices.DeleteFunc(benchmarks(), func(b benchmark) bool { return !slices.Contains(wanted, b.name) }), nil
}

// measure runs benchmarks and prints their figures as they come.
func (l *lab) measure(ctx context.Context, chosen []benchmark) error {
	for _, b := range chosen {
		figures, err := b.run(ctx, l)
		for _, f := range figures {
			fmt.Println(f)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return nil
}
