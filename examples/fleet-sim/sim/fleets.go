package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/moset/moset/pkg/sched"
)

// model is a kind of machine and how often it is bought.
type model struct {
	share            float64
	cores, gib       float64
	disk, gpus, fpga float64
	labels           string
}

// fleet is a kind of fleet: what it is made of, and what is asked of it besides plain sets.
type fleet struct {
	name   string
	models []model
	asks   []ask
}

// ask is a kind of request that only some hosts can take. Its load is how much of what those hosts offer of the
// resource is asked for.
type ask struct {
	resource sched.Resource
	load     float64
	sizes    []float64 // devices, or GiB of memory or disk, per set
	cores    float64   // per device, or per 100 GiB; what is asked for varies between half and twice of it
	require  string
}

// fleets are the fleets Generate knows. The shares of requests and machines are made up; they are many and far
// apart, so that a policy is not tuned to one of them.
func fleets() []fleet {
	plain := []model{{share: .4, cores: 16, gib: 64}, {share: .35, cores: 32, gib: 128}, {share: .15, cores: 48, gib: 384}, {share: .1, cores: 96, gib: 384}}
	with := func(rest float64, more ...model) []model {
		var all []model
		for _, m := range plain {
			m.share *= rest
			all = append(all, m)
		}
		return append(all, more...)
	}
	ones := []float64{.25, .5, 1, 1, 1, 2, 4, 8}
	return []fleet{
		{name: "uniform", models: []model{{share: 1, cores: 32, gib: 128}}},
		{name: "mixed", models: plain},
		{name: "few-gpus", models: with(.9, model{share: .1, cores: 64, gib: 512, gpus: 8}),
			asks: []ask{{GPU, .9, ones, 5, ""}}},
		{name: "many-gpus", models: with(.3, model{share: .4, cores: 32, gib: 256, gpus: 2, labels: "card=small"}, model{share: .3, cores: 96, gib: 768, gpus: 8, labels: "card=large"}),
			asks: []ask{{GPU, .55, ones, 8, ""}, {GPU, .4, []float64{.5, 1, 1, 2}, 8, "card=large"}}},
		{name: "devices", models: with(.75, model{share: .1, cores: 48, gib: 256, gpus: 4}, model{share: .07, cores: 32, gib: 128, fpga: 2}, model{share: .08, cores: 24, gib: 128, disk: 16384}),
			asks: []ask{{GPU, .9, []float64{.5, 1, 1, 2, 4}, 6, ""}, {FPGA, .8, []float64{1, 1, 2}, 8, ""}, {sched.Disk, .8, []float64{256, 512, 1024, 4096}, .4, ""}}},
		{name: "gpu-farm", models: []model{{share: .2, cores: 96, gib: 384}, {share: .3, cores: 64, gib: 256, gpus: 2}, {share: .2, cores: 96, gib: 512, gpus: 4}, {share: .3, cores: 96, gib: 768, gpus: 8}},
			asks: []ask{{GPU, 1.05, []float64{.1, .25, .5, .5, 1, 1, 1, 1, 2, 4, 8}, 8, ""}}},
		{name: "large-memory", models: with(.93, model{share: .07, cores: 64, gib: 2048}),
			asks: []ask{{sched.Memory, .22, []float64{300, 512, 768, 1024}, 3, ""}}},
		{name: "old-and-new", models: []model{{share: .55, cores: 12, gib: 48}, {share: .25, cores: 20, gib: 160, gpus: 1}, {share: .2, cores: 128, gib: 512, gpus: 4, labels: "card=large"}},
			asks: []ask{{GPU, .6, []float64{.25, .5, 1, 1}, 6, ""}, {GPU, .35, []float64{1, 2, 4}, 10, "card=large"}}},
	}
}

// Fleets are the kinds of fleet Generate knows. All but the first two have something scarce.
func Fleets() []string {
	var names []string
	for _, f := range fleets() {
		names = append(names, f.name)
	}
	return names
}

func fleetOf(name string) (fleet, error) {
	all := fleets()
	i := slices.IndexFunc(all, func(f fleet) bool { return f.name == name })
	if i < 0 {
		return fleet{}, fmt.Errorf("the fleet %q is not known; choose one of %s", name, strings.Join(Fleets(), ", "))
	}
	return all[i], nil
}

// buy draws n hosts, in racks of 20 of one model each, in three zones.
func (f fleet) buy(rng *rand.Rand, n int) []sched.Host {
	hosts := make([]sched.Host, n)
	for m, at := 0, 0.0; m < len(f.models); m++ {
		from := int(at*float64(n) + .5)
		at += f.models[m].share
		to := min(n, int(at*float64(n)+.5))
		if m == len(f.models)-1 {
			to = n
		}
		for i := from; i < to; i++ {
			hosts[i] = f.models[m].host()
		}
	}
	// Racks are filled in the order of purchase, which is not that of the models.
	const perRack = 20
	for i := 0; i < n; i += perRack / 2 {
		j := rng.IntN((n+perRack/2-1)/(perRack/2)) * (perRack / 2)
		for k := range perRack / 2 {
			if i+k < n && j+k < n {
				hosts[i+k], hosts[j+k] = hosts[j+k], hosts[i+k]
			}
		}
	}
	for i := range hosts {
		rack := i / perRack
		hosts[i].ID = fmt.Sprintf("host-%05d", i)
		hosts[i].Rack, hosts[i].Zone = fmt.Sprintf("rack-%03d", rack), fmt.Sprintf("zone-%d", rack%3)
	}
	return hosts
}

func (m model) host() sched.Host {
	h := sched.Host{Capacity: sched.Vector{
		sched.CPU: int64(m.cores * 1000), sched.Memory: int64(m.gib * (1 << 30)), sched.Disk: int64(m.disk * (1 << 30)),
		GPU: int64(m.gpus * 1000), FPGA: int64(m.fpga * 1000),
	}}
	h.Labels, _ = labels(m.labels) // written in this file
	return h
}
