package sched

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"
)

// fleet is the hosts of a snapshot as arrays by host number, which is the place
// of the host's id among all, and what has been worked out about them. It
// outlives a plan and follows the snapshots of one ledger; see sync. One plan
// at a time uses it.
type fleet struct {
	hosts       []*Host
	alloc, free []Vector
	placed      []int32  // copies of the running batch on each host
	touched     []bool   // scratch of one step, all false between
	tie         []uint64 // order of equally good hosts; nil with seed 0

	own     []bool // by host: of the scheduler's shard
	blocks  []block
	blockOf []int32
	seat    []int32 // place of the host in its block

	ready int
	have  [NumResources]int // ready hosts that offer any of the resource
	share [NumResources]float64
	mean  [NumResources]float64 // see Request.Mean

	groups  map[string]map[int32]int32 // sets of a group by host, zeros left out
	domains map[string]*domain
	// eras count the changes that make what was kept worthless.
	labelEra, stateEra, shareEra uint64

	log     changeLog
	classes classes
}

// block is hosts that stand in one rack and belong to one shard.
type block struct {
	own   bool
	hosts []int32
	start int // of the block's tree among all nodes of a class
}

func newFleet(hosts []*Host, seed uint64, shard Shard) *fleet {
	n := len(hosts)
	f := &fleet{
		hosts: hosts, alloc: make([]Vector, n), free: make([]Vector, n),
		placed: make([]int32, n), touched: make([]bool, n),
		blockOf: make([]int32, n), seat: make([]int32, n),
		groups: make(map[string]map[int32]int32), domains: make(map[string]*domain),
	}
	for i, h := range hosts {
		f.measure(i, h)
		f.offer(h.State, &f.alloc[i], 1)
		for group, count := range h.Groups {
			f.count(group, int32(i), count)
		}
	}
	f.shares()
	f.build(shard)
	if seed != 0 {
		f.shuffle(seed)
	}
	return f
}

// measure works out what host i offers.
func (f *fleet) measure(i int, h *Host) {
	f.alloc[i] = h.Allocatable()
	f.free[i] = f.alloc[i]
	for k := range f.free[i] {
		f.free[i][k] -= h.Used[k]
	}
}

// offer adds a host to what ready hosts have, or takes it out.
func (f *fleet) offer(state State, alloc *Vector, sign int) {
	if state != Ready {
		return
	}
	f.ready += sign
	for k, n := range alloc {
		if n > 0 {
			f.have[k] += sign
		}
	}
}

// shareSteps keeps shares from changing with every host that goes down, which
// would change the score of all the others.
const shareSteps = 64

// shares works out how scarce each resource is, and reports a change.
func (f *fleet) shares() bool {
	old, mean := f.share, f.mean
	f.means()
	for k, have := range f.have {
		switch {
		case have == 0:
			f.share[k] = 0
		case have == f.ready:
			f.share[k] = 1
		case f.ready <= shareSteps:
			f.share[k] = float64(have) / float64(f.ready)
		default:
			step := min(max(have*shareSteps/f.ready, 1), shareSteps-1)
			f.share[k] = float64(step) / shareSteps
		}
	}
	return f.share != old || f.mean != mean
}

// means works out what the mean ready host offers.
func (f *fleet) means() {
	var sum Vector // of whole numbers, so that the order of the hosts is no matter
	for i, h := range f.hosts {
		if h.State == Ready {
			for k, n := range f.alloc[i] {
				sum[k] = addCapped(sum[k], n)
			}
		}
	}
	for k, n := range sum {
		f.mean[k] = coarse(float64(n) / float64(max(1, f.ready)))
	}
}

// coarse rounds to steps of 2 to 3 %: with each host that goes down the mean moves a little, and with the mean
// the score of every host.
func coarse(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	return math.Ldexp(math.Round(fraction*64), exponent-6)
}

// build puts the hosts into blocks, in order of the first host of each.
func (f *fleet) build(shard Shard) {
	type place struct {
		rack string
		part int
	}
	index, parts := make(map[place]int32), shard.parts(f.hosts)
	f.own = make([]bool, len(f.hosts))
	for i, h := range f.hosts {
		f.own[i] = parts[i] == shard.Index
		at := place{h.Rack, parts[i]}
		b, ok := index[at]
		if !ok {
			b = int32(len(f.blocks))
			index[at] = b
			f.blocks = append(f.blocks, block{own: f.own[i]})
		}
		f.blockOf[i], f.seat[i] = b, int32(len(f.blocks[b].hosts))
		f.blocks[b].hosts = append(f.blocks[b].hosts, int32(i))
	}
	start := 0
	for b := range f.blocks {
		f.blocks[b].start = start
		start += len(f.blocks[b].hosts)
	}
}

func (f *fleet) shuffle(seed uint64) {
	f.tie = make([]uint64, len(f.hosts))
	h := fnv.New64a()
	for i := range f.hosts {
		h.Reset()
		_, _ = h.Write([]byte(f.hosts[i].ID)) // never fails
		x := h.Sum64() ^ seed*0x9e3779b97f4a7c15
		// The finaliser of splitmix64: FNV alone leaves like ids in like order.
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		f.tie[i] = x ^ x>>31
	}
}

// before breaks a tie between two hosts of the same score.
func (f *fleet) before(i, j int32) bool {
	if f.tie != nil && f.tie[i] != f.tie[j] {
		return f.tie[i] < f.tie[j]
	}
	return i < j
}

// find is the number of the host with an id, or -1.
func (f *fleet) find(id string) int {
	i, found := slices.BinarySearchFunc(f.hosts, id, func(h *Host, id string) int { return strings.Compare(h.ID, id) })
	if !found {
		return -1
	}
	return i
}

// count sets the number of sets of a group on host i.
func (f *fleet) count(group string, i int32, n int) {
	g := f.groups[group]
	switch {
	case n > 0 && g == nil:
		f.groups[group] = map[int32]int32{i: int32(n)}
	case n > 0:
		g[i] = int32(n)
	default:
		if delete(g, i); len(g) == 0 {
			delete(f.groups, group)
		}
	}
}
