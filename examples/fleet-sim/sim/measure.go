package sim

import (
	"context"
	"slices"
	"time"

	"github.com/moset/moset/pkg/sched"
)

// Result is what a trial came to, in figures. The shares are from 0 to 1.
type Result struct {
	Policy   string `json:"policy,omitempty"`
	Requests int    `json:"requests"`
	Placed   int    `json:"placed"`
	Hosts    int    `json:"hosts"`
	// Used are the hosts in use at the peak, and Bound the fewest that could have held as much.
	Used  int `json:"hosts_used"`
	Bound int `json:"hosts_lower_bound"`
	// Given is the share of the work asked for that was placed; see Outcome.
	Given float64 `json:"work_placed"`
	// Resources has an entry for each resource a host has, in the order of the columns of a file.
	Resources []Share `json:"resources"`
	Plan      Latency `json:"plan"`
	// Peak is the fleet the figures are of.
	Peak []sched.Host `json:"-"`
}

// Share is the state of one resource at the peak.
type Share struct {
	Name string `json:"name"`
	// InUse is the share of the fleet's that sets have.
	InUse float64 `json:"in_use"`
	// Fragmented is the share of what is free that is of no use to a request that needs the resource, because it
	// is on hosts where the request does not fit; the mean over the requests.
	Fragmented float64 `json:"fragmented"`
}

// Latency is how long plans took, in microseconds: half, 90 % and 99 % took no longer.
type Latency struct {
	P50 float64 `json:"p50_us"`
	P90 float64 `json:"p90_us"`
	P99 float64 `json:"p99_us"`
	Max float64 `json:"max_us"`
}

// Run replays the trial and measures it.
func Run(ctx context.Context, t Trial) (Result, error) {
	out, err := Replay(ctx, t)
	if err != nil {
		return Result{}, err
	}
	r := Result{
		Requests: len(t.Requests), Placed: len(out.Placed), Hosts: len(t.Hosts),
		Used: inUse(out.Peak), Bound: Bound(t.Hosts, out.Held), Given: 1,
		Plan: latency(out.Plans), Peak: out.Peak,
	}
	if out.Asked > 0 {
		r.Given = out.Given / out.Asked
	}
	for _, c := range columns() {
		total := int64(0)
		for i := range t.Hosts {
			total += t.Hosts[i].Allocatable()[c.resource]
		}
		if total > 0 {
			r.Resources = append(r.Resources, Share{c.name, part(out.Held[c.resource], total), fragmented(out.Peak, t.Requests, c.resource)})
		}
	}
	return r, nil
}

func latency(plans []time.Duration) Latency {
	if len(plans) == 0 {
		return Latency{}
	}
	plans = slices.Sorted(slices.Values(plans))
	at := func(percent int) float64 {
		return float64(plans[(len(plans)-1)*percent/100]) / float64(time.Microsecond)
	}
	return Latency{at(50), at(90), at(99), at(100)}
}

// fragmented looks at up to 200 requests, evenly taken.
func fragmented(hosts []sched.Host, requests []Request, r sched.Resource) float64 {
	sum, n := 0.0, 0
	for i := 0; i < len(requests); i += len(requests)/200 + 1 {
		set := requests[i].Set
		if set.Need[r] == 0 {
			continue
		}
		free, lost := 0.0, 0.0
		for k := range hosts {
			h := &hosts[k]
			f := float64(max(0, h.Free()[r]))
			free += f
			if !fits(h, set) {
				lost += f
			}
		}
		n++
		if free > 0 {
			sum += lost / free
		}
	}
	return sum / float64(max(1, n))
}

// fits is whether the host has room for the set and the labels it requires.
func fits(h *sched.Host, set sched.Set) bool {
	if h.State != sched.Ready || !set.Need.Fits(h.Free()) {
		return false
	}
	for _, s := range set.Require {
		if !s.Matches(h) {
			return false
		}
	}
	return true
}
