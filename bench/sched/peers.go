package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moset/moset/bench/figure"
)

// contender is one way to run a peer.
type contender struct {
	name     string   // in figures
	module   string   // below the peers' folder
	options  []string // beside the workload
	policies []string
}

func contenders() []contender {
	return []contender{
		{"nomad", "nomad", nil, []string{"pack", "spread"}},
		{"kube", "kube", []string{"-profile", "default"}, []string{"pack", "spread"}},
		{"kube-most", "kube", []string{"-profile", "most"}, []string{"pack"}},
	}
}

// peers are the peers' programs, each at its module's name in a folder.
type peers struct{ dir string }

// build compiles every peer, politely: the first time it takes minutes.
func build(ctx context.Context, from string) (*peers, error) {
	dir, err := os.MkdirTemp("", "bench-peers-")
	if err != nil {
		return nil, err
	}
	p := &peers{dir}
	for _, module := range []string{"nomad", "kube"} {
		cmd := exec.CommandContext(ctx, "nice", "go", "build", "-C", filepath.Join(from, module), "-trimpath", "-o", filepath.Join(dir, module), ".")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			p.remove()
			return nil, fmt.Errorf("build the peer %s, for which the Go module proxy must be in reach: %w", module, err)
		}
	}
	return p, nil
}

func (p *peers) remove() { _ = os.RemoveAll(p.dir) }

// measured is the line of a peer.
type measured struct {
	Placed    int     `json:"placed"`
	HostsUsed int     `json:"hosts_used"`
	Wall      float64 `json:"wall_s"`
	CPU       float64 `json:"cpu_s"`
	P50       float64 `json:"batch_p50_ms"`
	P99       float64 `json:"batch_p99_ms"`
}

func (m measured) perCPU() float64 { return float64(m.Placed) / m.CPU }

// run has a contender place the workload in a process of its own, and fails when it did not place all of it.
func (p *peers) run(ctx context.Context, c contender, policy string, w workload) (measured, error) {
	args := append([]string{
		"-policy", policy, "-hosts", strconv.Itoa(w.hosts), "-racks", strconv.Itoa(w.racks),
		"-sets", strconv.Itoa(w.sets), "-batch", strconv.Itoa(w.batch), "-shapes", list(w.shapes),
	}, c.options...)
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, c.module), args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return measured{}, fmt.Errorf("%w: %s", err, bytes.TrimSpace(complaints.Bytes()))
	}
	var m measured
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		return measured{}, fmt.Errorf("its line cannot be read: %w", err)
	}
	if m.Placed != w.sets || !(m.CPU > 0) {
		return measured{}, fmt.Errorf("it placed %d of %d sets in %v s of processor time", m.Placed, w.sets, m.CPU)
	}
	return m, nil
}

// list writes shapes as peers read them.
func list(shapes []shape) string {
	var all []string
	for _, s := range shapes {
		all = append(all, fmt.Sprintf("%d:%d", s.millicores, s.mebibytes))
	}
	return strings.Join(all, ",")
}

// compare runs the peers on what was placed before on the same fleet, each workload once. A peer that fails does not
// take from the others the minutes that they have run.
func (b *bench) compare(ctx context.Context, p *peers, hosts int) error {
	var failed []error
	for _, c := range contenders() {
		for _, policy := range c.policies {
			ours := b.against(c.name, policy)
			if len(ours) == 0 {
				continue
			}
			w := b.workload(ours[0].row, hosts)
			m, err := p.run(ctx, c, policy, w)
			if err != nil {
				failed = append(failed, fmt.Errorf("%s, %s on %d hosts: %w", c.name, policy, hosts, err))
				continue
			}
			b.notePeer(c.name, policy, w, m)
			for _, f := range ours {
				b.print(figure.Figure{
					Name: f.on(hosts, "-beside-"+c.name), Unit: "/cpu-s", Ours: f.trial.perCPU(), Peer: c.name, Their: m.perCPU(),
					Goal: figure.Goal{Bound: f.times, AtLeast: true},
				})
			}
		}
	}
	return errors.Join(failed...)
}

// against are the rows of this fleet that a peer's policy is put beside.
func (b *bench) against(peer, policy string) []filled {
	var all []filled
	for _, f := range b.filled {
		for _, g := range f.goals {
			if g.peer == peer && g.policy == policy {
				f.goal = g
				all = append(all, f)
			}
		}
	}
	return all
}
