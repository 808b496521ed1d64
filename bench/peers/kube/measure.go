package main

import (
	"context"
	"fmt"
	"math"
	goruntime "runtime"
	"slices"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
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

// measure runs the scheduler until every pod is bound. The pods are in its queue before the clock starts.
func measure(ctx context.Context, w workload) (row, error) {
	klog.SetLogger(klog.Logger{})
	ctx, cancel := context.WithCancel(klog.NewContext(ctx, klog.Logger{}))
	defer cancel()
	client, b := newClient(w)
	profiles, err := w.profiles()
	if err != nil {
		return row{}, err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	quiet := func(string) events.EventRecorderLogger { return silence{} }
	s, err := scheduler.New(ctx, client, factory, nil, quiet, scheduler.WithProfiles(profiles...))
	if err != nil {
		return row{}, err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if err := s.WaitForHandlersSync(ctx); err != nil {
		return row{}, err
	}
	goruntime.GC()
	begun, spent := time.Now(), cpu()
	go s.Run(ctx)
	batches, err := b.wait(ctx, w)
	if err != nil {
		return row{}, err
	}
	r := row{Wall: time.Since(begun).Seconds(), CPU: (cpu() - spent).Seconds(), Batches: "the time between bindings that are one batch apart"}
	slices.Sort(batches)
	r.P50, r.P99 = percentile(batches, 50), percentile(batches, 99)
	err = b.count(w, &r)
	return r, err
}

// profiles is the default profile, with MostAllocated in place of LeastAllocated if that is wanted.
func (w *workload) profiles() ([]config.KubeSchedulerProfile, error) {
	c, err := latest.Default()
	if err != nil || w.profile == "default" {
		return c.Profiles, err
	}
	for _, plugin := range c.Profiles[0].PluginConfig {
		if args, ok := plugin.Args.(*config.NodeResourcesFitArgs); ok {
			args.ScoringStrategy.Type = config.MostAllocated
			return c.Profiles, nil
		}
	}
	return nil, fmt.Errorf("the default profile says nothing of how hosts are filled")
}

// wait returns how long each batch took, when all pods are bound.
func (b *bindings) wait(ctx context.Context, w workload) ([]time.Duration, error) {
	var batches []time.Duration
	last, stuck := time.Now(), time.NewTimer(w.patience)
	for n := 1; n <= w.sets; n++ {
		select {
		case <-b.bound:
			stuck.Reset(w.patience)
		case err := <-b.failed:
			return nil, err
		case <-stuck.C:
			return nil, fmt.Errorf("%d of %d pods are bound, and none was in the last %s", n-1, w.sets, w.patience)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if n%w.batch == 0 || n == w.sets {
			batches = append(batches, time.Since(last))
			last = time.Now()
		}
	}
	return batches, nil
}

// count fills in what was bound, and fails when it is not the workload or a node has more than it can carry.
func (b *bindings) count(w workload, r *row) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	used := map[string]shape{}
	for i := range w.sets {
		host, bound := b.hosts[fmt.Sprintf("p%06d", i)]
		if !bound {
			return fmt.Errorf("pod %d was not bound", i)
		}
		sum, s := used[host], w.shapes[i/w.batch%len(w.shapes)]
		used[host] = shape{sum.millicores + s.millicores, sum.mebibytes + s.mebibytes}
	}
	for node, sum := range used {
		if sum.millicores > cores*1000 || sum.mebibytes > memoryGiB<<10 {
			return fmt.Errorf("node %s was given %d millicores and %d MiB", node, sum.millicores, sum.mebibytes)
		}
	}
	r.Placed, r.HostsUsed = len(b.hosts), len(used)
	if r.Placed != w.sets {
		return fmt.Errorf("%d of %d pods are bound", r.Placed, w.sets)
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
