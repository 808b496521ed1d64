package main

import (
	"fmt"

	"github.com/moset/moset/pkg/sched"
)

const (
	hostCPU    = 32_000    // millicores
	hostMemory = 128 << 30 // bytes
)

// shape is what one set needs.
type shape struct {
	millicores int64
	mebibytes  int64
}

func (s shape) need() sched.Vector {
	return sched.Vector{sched.CPU: s.millicores, sched.Memory: s.mebibytes << 20}
}

// fiveShapes divide a host evenly, so a packer can reach the lower bound.
func fiveShapes(int) []shape {
	return []shape{{1000, 2048}, {2000, 4096}, {4000, 8192}, {4000, 16384}, {8000, 16384}}
}

// manyShapes are as many as there are batches, at most a thousand, of half a core to 4.4 and 1 GiB to 7, in an
// order that has no two neighbours alike.
func manyShapes(batches int) []shape {
	const most, stride = 1000, 617 // without a common factor, so each comes once
	shapes := make([]shape, min(most, batches))
	for i := range shapes {
		k := int64(i * stride % most)
		shapes[i] = shape{500 + k%40*100, 1024 + k/40*256}
	}
	return shapes
}

// workload is what to place on what: batches of the shapes in turn.
type workload struct {
	hosts, racks, sets, batch int
	shapes                    []shape
}

func (b *bench) workload(r row, hosts int) workload {
	sets := r.perHost * hosts
	return workload{hosts, b.racks, sets, b.batch, r.shapes((sets + b.batch - 1) / b.batch)}
}

func (w workload) batches() int { return (w.sets + w.batch - 1) / w.batch }

// size is how many sets batch k has; the last may be smaller.
func (w workload) size(k int) int { return min(w.batch, w.sets-k*w.batch) }

func (w workload) shape(k int) shape { return w.shapes[k%len(w.shapes)] }

// request is batch k under a policy.
func (w workload) request(p policy, k int) sched.Batch {
	id := fmt.Sprintf("job-%d", k)
	set := sched.Set{ID: id, Group: id, Need: w.shape(k).need()}
	if p.rules != nil {
		p.rules(&set)
	}
	return sched.Batch{Set: set, N: w.size(k)}
}

// ledger has the empty fleet.
func (w workload) ledger() (*sched.Ledger, error) {
	l := sched.NewLedger(sched.LedgerConfig{})
	for i := range w.hosts {
		err := l.Put(sched.Host{
			ID: fmt.Sprintf("h%05d", i), Rack: fmt.Sprintf("r%d", i%w.racks),
			Capacity: sched.Vector{sched.CPU: hostCPU, sched.Memory: hostMemory},
		})
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// bound is the fewest hosts that could hold all sets, by the sum of what they need.
func (w workload) bound() int {
	var sum sched.Vector
	for k := range w.batches() {
		for r, n := range w.shape(k).need() {
			sum[r] += n * int64(w.size(k))
		}
	}
	return int(max((sum[sched.CPU]+hostCPU-1)/hostCPU, (sum[sched.Memory]+hostMemory-1)/hostMemory))
}
