package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moset/moset/bench/figure"
)

// bench is what all rows share.
type bench struct {
	out, notes io.Writer
	rows       []row
	fleets     []int // hosts of each
	racks      int
	batch      int
	least      time.Duration // of processor time for a row

	withPeers bool
	peersFrom string
	filled    []filled // what peers are put beside
}

// filled is a row that was measured on a fleet.
type filled struct {
	row
	goal  // the one that is being looked at
	trial *trial
}

// measure runs the rows on one fleet after the other, and the peers at the end of each.
func (b *bench) measure(ctx context.Context) (err error) {
	var peers *peers
	if b.withPeers {
		if peers, err = build(ctx, b.peersFrom); err != nil {
			return err
		}
		defer peers.remove()
	}
	fmt.Fprintln(b.notes, heading)
	for _, hosts := range b.fleets {
		b.filled = nil
		for _, r := range b.rows {
			if err := r.measure(ctx, b, r, hosts); err != nil {
				return fmt.Errorf("%s on %d hosts: %w", r.name, hosts, err)
			}
		}
		if peers != nil {
			err = errors.Join(err, b.compare(ctx, peers, hosts))
		}
	}
	return err
}

func (b *bench) print(f figure.Figure) { fmt.Fprintln(b.out, f) }

// keep prints the figures of a filled fleet that have goals.
func (b *bench) keep(r row, hosts int, t *trial) {
	b.filled = append(b.filled, filled{row: r, trial: t})
	b.print(figure.Figure{Name: r.on(hosts, ""), Unit: "/cpu-s", Ours: t.perCPU(), Goal: figure.Goal{Bound: r.perCPU, AtLeast: true}})
	if r.p99 > 0 {
		b.print(figure.Figure{Name: r.on(hosts, "-p99"), Unit: "ms", Ours: figure.Milliseconds(t.plans.Percentile(99)), Goal: figure.Goal{Bound: r.p99}})
	}
	if r.hosts > 0 {
		b.print(figure.Figure{
			Name: r.on(hosts, "-hosts-used"), Ours: float64(t.used), Peer: "lower-bound", Their: float64(t.bound), Goal: figure.Goal{Bound: r.hosts},
		})
	}
}

const heading = "who        row     hosts  shapes  at once  sets    rounds  per cpu-s   per s  p50 ms  p99 ms  allocs     bytes  conflicts  hosts used (bound)"

// note shows a trial in full: rates are placements, allocations and bytes are for each placement, a time is of the
// plan of a batch with its snapshot.
func (b *bench) note(name string, w workload, atOnce int, t *trial) {
	each := float64(t.placed)
	fmt.Fprintf(b.notes, "%-10s %-6s %6d %7d %8d %6d %8d %10.0f %7.0f %7s %7s %7.1f %9.0f %10s %11d (%d)\n",
		"moset", name, w.hosts, len(w.shapes), atOnce, w.sets, t.rounds, t.perCPU(), t.perWall(),
		milliseconds(t.plans, 50), milliseconds(t.plans, 99), float64(t.allocs)/each, float64(t.bytes)/each,
		fmt.Sprintf("%.2f%%", 100*float64(t.conflicts)/float64(t.claims)), t.used, t.bound)
}

// notePeer shows what a peer measured of itself.
func (b *bench) notePeer(name, policy string, w workload, m measured) {
	fmt.Fprintf(b.notes, "%-10s %-6s %6d %7d %8d %6d %8d %10.0f %7.0f %7.2f %7.2f %7s %9s %10s %11d (%d)\n",
		name, policy, w.hosts, len(w.shapes), 1, w.sets, 1, m.perCPU(), float64(m.Placed)/m.Wall, m.P50, m.P99, "-", "-", "-", m.HostsUsed, w.bound())
}

func milliseconds(s figure.Samples, p float64) string {
	if len(s) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", figure.Milliseconds(s.Percentile(p)))
}
