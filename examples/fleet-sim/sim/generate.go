package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/moset/moset/pkg/sched"
)

// Workload says what Generate makes; the same workload is the same fleet and requests on every machine.
type Workload struct {
	// Fleet is one of Fleets; empty is "mixed".
	Fleet string
	// Mix is one of Mixes; empty is "ordinary".
	Mix string
	// Hosts is their number; 0 is 200.
	Hosts int
	// Load is how much of the fleet's processors or memory, whichever is the more, the requests ask for when most
	// of them are there; 0 is 1.1, more than there is.
	Load float64
	// Stay is the mean lifetime of a request as a part of the whole time; 0 is for good.
	Stay float64
	// Seed draws everything.
	Seed uint64
}

// Mixes are the mixes of plain requests: "ordinary" has powers of two of cores with 2 to 8 GiB each,
// "heavy-tailed" has many small and a few very large ones of any size, "catalogue" has 150 odd shapes of which
// some are common, and "services" is ordinary ones, some of several copies kept apart or spread.
func Mixes() []string { return []string{"ordinary", "heavy-tailed", "catalogue", "services"} }

// Generate makes a fleet and the requests for it.
func Generate(w Workload) ([]sched.Host, []Request, error) {
	f, err := fleetOf(or(w.Fleet, "mixed"))
	if err != nil {
		return nil, nil, err
	}
	w.Mix, w.Hosts, w.Load = or(w.Mix, "ordinary"), or(w.Hosts, 200), or(w.Load, 1.1)
	if !slices.Contains(Mixes(), w.Mix) {
		return nil, nil, fmt.Errorf("the mix %q is not known; choose one of %s", w.Mix, strings.Join(Mixes(), ", "))
	}
	if w.Hosts < 1 || w.Hosts > 100_000 || !(w.Load > 0 && w.Load <= 10) || !(w.Stay >= 0 && w.Stay <= 1) {
		return nil, nil, fmt.Errorf("%d hosts, a load of %v and a stay of %v are asked for; give 1 to 100000, up to 10 and from 0 to 1", w.Hosts, w.Load, w.Stay)
	}
	rng := rand.New(rand.NewPCG(w.Seed, 0x666c656574))
	hosts := f.buy(rng, w.Hosts)
	g := &generator{rng: rng, mix: w.Mix, hosts: hosts, turns: 1}
	if w.Stay > 0 {
		g.turns = 1 / w.Stay
	}
	g.catalogue()
	for _, a := range f.asks {
		g.special(a)
	}
	g.plain(w.Load)
	return hosts, g.arrivals(w.Stay), nil
}

func or[T comparable](x, otherwise T) T {
	var zero T
	if x == zero {
		return otherwise
	}
	return x
}

type generator struct {
	rng      *rand.Rand
	mix      string
	hosts    []sched.Host
	shapes   []sched.Vector
	turns    float64 // how often the fleet is filled anew in all
	requests []Request
	asked    sched.Vector
}

func (g *generator) add(need sched.Vector, require string) {
	q := Request{Batch: sched.Batch{Set: sched.Set{Need: need}, N: 1}}
	if require != "" {
		q.Set.Require = []sched.Selector{selector(require)}
	}
	if g.mix == "services" && require == "" && g.rng.IntN(4) == 0 {
		g.serve(&q)
	}
	g.requests = append(g.requests, q)
	for r, n := range need {
		g.asked[r] += n * int64(q.N)
	}
}

// serve makes a service of several copies of the request.
func (g *generator) serve(q *Request) {
	q.N = 2 + g.rng.IntN(4)
	switch g.rng.IntN(3) {
	case 0:
		q.Set.AntiAffinity = []sched.AntiAffinity{{By: "host"}}
	case 1:
		q.Set.Spread = []sched.Spread{{By: "rack"}}
	}
}

// special adds requests of one kind until its load is asked for.
func (g *generator) special(a ask) {
	total := 0.0
	for i := range g.hosts {
		if a.require == "" || selector(a.require).Matches(&g.hosts[i]) {
			total += float64(g.hosts[i].Capacity[a.resource])
		}
	}
	unit := float64(1 << 30)
	if a.resource == GPU || a.resource == FPGA {
		unit = 1000
	}
	for got := 0.0; got < a.load*total*g.turns; {
		size := a.sizes[g.rng.IntN(len(a.sizes))]
		cores := size * a.cores * (.5 + 1.5*g.rng.Float64()*g.rng.Float64())
		if unit > 1000 {
			cores /= 100
		}
		need := sched.Vector{sched.CPU: int64(math.Ceil(cores*4)) * 250, sched.Memory: int64(math.Ceil(cores*(2+6*g.rng.Float64()))) << 30}
		need[a.resource] = int64(size * unit)
		g.add(need, a.require)
		got += size * unit
	}
}

// plain adds requests for processor and memory until the load is asked for.
func (g *generator) plain(load float64) {
	var total sched.Vector
	for i := range g.hosts {
		total = total.Plus(g.hosts[i].Capacity)
	}
	for max(part(g.asked[sched.CPU], total[sched.CPU]), part(g.asked[sched.Memory], total[sched.Memory])) < load*g.turns {
		g.add(g.shape(), "")
	}
}

func part(n, of int64) float64 { return float64(n) / float64(max(1, of)) }

func (g *generator) shape() sched.Vector {
	switch g.mix {
	case "heavy-tailed":
		cores := min(24, .2*math.Pow(1-g.rng.Float64(), -.9))
		return sized(cores, min(100, cores*4*math.Exp(.7*g.rng.NormFloat64())))
	case "catalogue":
		// A few shapes are common: the index falls off as a power.
		return g.shapes[int(float64(len(g.shapes))*math.Pow(g.rng.Float64(), 3))]
	}
	cores := []float64{.25, .5, .5, 1, 1, 1, 2, 2, 4, 8}[g.rng.IntN(10)]
	return sized(cores, cores*[]float64{2, 4, 4, 8}[g.rng.IntN(4)])
}

func (g *generator) catalogue() {
	for range 150 {
		cores := min(16, math.Exp(.3+1.1*g.rng.NormFloat64()))
		g.shapes = append(g.shapes, sized(cores, min(96, cores*3.5*math.Exp(.6*g.rng.NormFloat64()))))
	}
}

// sized rounds to 10 millicores and 16 MiB.
func sized(cores, gib float64) sched.Vector {
	return sched.Vector{sched.CPU: int64(math.Ceil(cores*100)) * 10, sched.Memory: int64(math.Ceil(gib*64)) << 24}
}

// arrivals shuffles the requests over a day and gives each an end.
func (g *generator) arrivals(stay float64) []Request {
	const day = 86400
	g.rng.Shuffle(len(g.requests), func(i, j int) { g.requests[i], g.requests[j] = g.requests[j], g.requests[i] })
	for i := range g.requests {
		q := &g.requests[i]
		q.At = math.Round(day * float64(i) / float64(len(g.requests)))
		q.Set.ID = fmt.Sprintf("set-%05d", i)
		if q.N > 1 {
			q.Set.Group = fmt.Sprintf("group-%05d", i)
		}
		if stay > 0 {
			q.Lifetime = math.Ceil(g.rng.ExpFloat64() * stay * day)
		}
	}
	return g.requests
}
