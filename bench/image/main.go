// Command image measures moset's registry on Glance beside Debian's docker-registry and docker load, with one Docker
// Engine that pushes to and pulls from all of them, and prints one line for each figure in the form of bench/figure.
// make bench-image runs it; bench/README.md says what each side does.
//
//	go run ./bench/image -only push,child -on sha512 -runs 5 -cpuprofile cpu.out
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

// benchmarks in the order in which they run, each on one registry of ours.
var benchmarks = []struct {
	name string
	run  func(ctx context.Context, b *bench, ours *contender) ([]figure.Figure, error)
}{
	{"push-1x200", benchOne},
	{"push-20x10", benchMany},
	{"child", benchChild},
	{"small", benchSmall},
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
	var b bench
	var p profile.Profile
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	only := flags.String("only", "push,child,small", "run these; push is all that begin so")
	on := flags.String("on", "sha512,sha256,box", "put the registry on these: Glance with the one or the other hash, and the Glance box")
	flags.IntVar(&b.runs, "runs", 5, "rounds that are counted")
	flags.BoolVar(&b.spy, "spy", false, "show every request to Glance, which takes time of its own")
	p.Flags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, places, err := parse(*only, *on)
	if err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	if err := b.open(ctx); err != nil {
		return errors.Join(err, b.close())
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return b.measure(ctx, wanted, places)
}

// parse splits the lists and refuses what is in none.
func parse(only, on string) (wanted, places []string, err error) {
	var runs, where []string
	for _, x := range benchmarks {
		runs = append(runs, x.name)
	}
	for _, g := range glances {
		where = append(where, g.name)
	}
	wanted, places = strings.Split(only, ","), strings.Split(on, ",")
	for _, list := range []struct{ given, known []string }{{wanted, runs}, {places, where}} {
		for _, name := range list.given {
			if !slices.ContainsFunc(list.known, func(known string) bool { return strings.HasPrefix(known, name) }) {
				return nil, nil, fmt.Errorf("there is no %q: choose of %s", name, strings.Join(list.known, ", "))
			}
		}
	}
	return wanted, places, nil
}

// among says whether a name begins with one of those wanted.
func among(wanted []string, name string) bool {
	return slices.ContainsFunc(wanted, func(w string) bool { return strings.HasPrefix(name, w) })
}

// measure runs what is wanted and prints the figures as they come.
func (b *bench) measure(ctx context.Context, wanted, places []string) error {
	for _, g := range glances {
		if !among(places, g.name) {
			continue
		}
		ours, err := b.registryOn(ctx, g.name, g.variable)
		if err != nil {
			return err
		}
		for _, x := range benchmarks {
			if !among(wanted, x.name) {
				continue
			}
			figures, err := x.run(ctx, b, ours)
			for _, f := range figures {
				fmt.Println(f)
			}
			if err != nil {
				return fmt.Errorf("%s on %s: %w", x.name, g.name, err)
			}
		}
	}
	return nil
}
