package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/nomad/nomad/structs"
)

// row is the line that bench/sched reads: counts, seconds, milliseconds.
type row struct {
	Placed    int     `json:"placed"`
	HostsUsed int     `json:"hosts_used"`
	Wall      float64 `json:"wall_s"`
	CPU       float64 `json:"cpu_s"` // of the whole process, user and system
	P50       float64 `json:"batch_p50_ms"`
	P99       float64 `json:"batch_p99_ms"`
	Batches   string  `json:"batch_is"`
}

// measure places the workload, one job after the other, and counts what is in the store then.
func measure(w workload) (row, error) {
	c, evals, err := newCluster(w)
	if err != nil {
		return row{}, err
	}
	events := make(chan any)
	go func() {
		for range events { // collisions of ports, of which these jobs have none
		}
	}()
	defer close(events)
	runtime.GC()
	var batches []time.Duration
	begun, spent := time.Now(), cpu()
	for _, e := range evals {
		at := time.Now()
		if err := c.process(e, events); err != nil {
			return row{}, err
		}
		batches = append(batches, time.Since(at))
	}
	r := row{Wall: time.Since(begun).Seconds(), CPU: (cpu() - spent).Seconds(), Batches: "plan and commit of one job"}
	slices.Sort(batches)
	r.P50, r.P99 = percentile(batches, 50), percentile(batches, 99)
	err = c.count(w, &r)
	return r, err
}

// count fills in what the store holds, and fails when it is not the workload or a node has more than it can carry.
func (c *cluster) count(w workload, r *row) error {
	iter, err := c.state.Allocs(nil, false)
	if err != nil {
		return err
	}
	used := map[string]shape{}
	for raw := iter.Next(); raw != nil; raw = iter.Next() {
		a := raw.(*structs.Allocation)
		sum, task := used[a.NodeID], a.AllocatedResources.Tasks["web"]
		sum.millicores += int(task.Cpu.CpuShares)
		sum.mebibytes += int(task.Memory.MemoryMB)
		used[a.NodeID] = sum
		r.Placed++
	}
	r.HostsUsed = len(used)
	for node, sum := range used {
		if sum.millicores > cores*1000 || sum.mebibytes > memoryMiB {
			return fmt.Errorf("node %s was given %d millicores and %d MiB", node, sum.millicores, sum.mebibytes)
		}
	}
	if r.Placed != w.sets {
		return fmt.Errorf("%d of %d sets are in the state store", r.Placed, w.sets)
	}
	return nil
}

// percentile is the nearest rank in milliseconds.
func percentile(sorted []time.Duration, p float64) float64 {
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return float64(sorted[max(1, rank)-1]) / float64(time.Millisecond)
}

// cpu is what the process has used so far, collector of garbage included.
func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0 // it fails for wrong arguments only
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
