// Command sched measures moset's scheduler in memory: batches planned on snapshots of a ledger and committed to it,
// until a fleet is half full. It prints one line for each figure that has a goal, in the form of bench/figure, and a
// table of everything on standard error; with -peers, Nomad's scheduler and kube-scheduler place the same sets on the
// same hosts. make bench-sched runs it; bench/README.md says what each side does.
//
//	go run ./bench/sched -only pack,spread -hosts 1000,10000 -time 5s -peers -cpuprofile cpu.out
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/moset/moset/bench/profile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench-sched:", err)
		os.Exit(1)
	}
}

// run prints figures on out, and the table on notes.
func run(ctx context.Context, args []string, out, notes io.Writer) (err error) {
	b := bench{out: out, notes: notes}
	var p profile.Profile
	flags := flag.NewFlagSet("sched", flag.ContinueOnError)
	flags.SetOutput(notes)
	only := flags.String("only", strings.Join(names(), ","), "run these rows, in this order")
	hosts := flags.String("hosts", "1000,5000,10000", "hosts of the fleets")
	flags.IntVar(&b.racks, "racks", 50, "racks that the hosts stand in")
	flags.IntVar(&b.batch, "batch", 100, "sets in a batch")
	flags.DurationVar(&b.least, "time", 2*time.Second, "fill fleets anew until a row has used so much processor time")
	flags.BoolVar(&b.withPeers, "peers", false, "build and run the peers as well, which takes minutes")
	flags.StringVar(&b.peersFrom, "peers-from", "bench/peers", "the folder with the peers' modules")
	p.Flags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := b.parse(*only, *hosts); err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	return b.measure(ctx)
}

// parse splits the lists and refuses what cannot be measured.
func (b *bench) parse(only, hosts string) error {
	for _, name := range strings.Split(only, ",") {
		i := slices.Index(names(), name)
		if i < 0 {
			return fmt.Errorf("there is no row %q: choose of %s", name, strings.Join(names(), ", "))
		}
		b.rows = append(b.rows, rows()[i])
	}
	for _, text := range strings.Split(hosts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < b.batch {
			return fmt.Errorf("%q hosts will not do: a batch of %d that may not share hosts needs as many", text, b.batch)
		}
		b.fleets = append(b.fleets, n)
	}
	if b.batch < 1 || b.racks < 1 {
		return fmt.Errorf("batches of %d on %d racks: give at least one of each", b.batch, b.racks)
	}
	return nil
}
