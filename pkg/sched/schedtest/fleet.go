package schedtest

import (
	"fmt"
	"math/rand/v2"

	"github.com/moset/moset/pkg/sched"
)

// FleetConfig says what Fleet makes.
type FleetConfig struct {
	// Hosts is the number of hosts.
	Hosts int
	// Racks is the number of racks they stand in, in turn; 0 means one for
	// every 20 hosts.
	Racks int
	// Mixed makes hosts of different sizes, partly in use, every tenth with
	// accelerators in sched.Custom0; otherwise all have 32 cores, 128 GiB and
	// nothing in use.
	Mixed bool
	// Seed chooses among mixed fleets.
	Seed uint64
}

// Fleet makes a fleet, the same for the same FleetConfig. The hosts are Ready,
// sorted by id, and have the label disk=ssd or disk=hdd.
func Fleet(c FleetConfig) sched.Snapshot {
	if c.Racks <= 0 {
		c.Racks = (c.Hosts + 19) / 20
	}
	rng := rand.New(rand.NewPCG(c.Seed, 1))
	hosts := make([]sched.Host, c.Hosts)
	for i := range hosts {
		h := &hosts[i]
		rack := i % c.Racks
		h.ID, h.Version = fmt.Sprintf("host-%05d", i), 1
		h.Rack, h.Zone = fmt.Sprintf("rack-%03d", rack), fmt.Sprintf("zone-%d", rack%3)
		h.Labels = map[string]string{"disk": []string{"ssd", "hdd"}[i%2]}
		h.Capacity = sched.Vector{
			sched.CPU: 32_000, sched.Memory: 128 << 30, sched.Disk: 2 << 40,
			sched.NetIn: 10_000_000_000, sched.NetOut: 10_000_000_000, sched.Pids: 100_000, sched.IPs: 250,
		}
		if c.Mixed {
			vary(rng, h, i)
		}
	}
	snap := sched.SnapshotOf(hosts...)
	snap.Number = 1
	return snap
}

func vary(rng *rand.Rand, h *sched.Host, i int) {
	size := int64(1) << rng.IntN(3)
	h.Capacity[sched.CPU] *= size
	h.Capacity[sched.Memory] *= size
	h.Overcommit[sched.CPU] = []float64{1, 1.5, 4}[rng.IntN(3)]
	h.Reserved = sched.Vector{sched.CPU: 1000, sched.Memory: 4 << 30}
	if i%10 == 0 {
		h.Capacity[sched.Custom0] = 8000
	}
	free := h.Free()
	h.Used[sched.CPU] = rng.Int64N(free[sched.CPU])
	h.Used[sched.Memory] = rng.Int64N(free[sched.Memory])
}
