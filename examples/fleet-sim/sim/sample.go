package sim

import (
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"

	"github.com/moset/moset/pkg/sched"
)

// sampler looks at a few hosts drawn at random instead of at all, as schedulers do to be quick. Hosts on which
// the set does not fit cost a draw, but no place in the sample.
type sampler struct {
	rng   *rand.Rand
	size  func(hosts int) int
	score func(*sched.Host, sched.Vector) float64
}

func newSampler(seed uint64, size func(int) int, score func(*sched.Host, sched.Vector) float64) *sampler {
	return &sampler{rng: rand.New(rand.NewPCG(seed, 1)), size: size, score: score}
}

func log2(hosts int) int { return max(1, bits.Len(uint(hosts-1))) }
func two(int) int        { return 2 }

// Plan knows resources, required labels and anti-affinity, no wishes.
func (s *sampler) Plan(ctx context.Context, snap sched.Snapshot, b sched.Batch) (sched.Plan, error) {
	plan := sched.Plan{Snapshot: snap.Number}
	p := newPass(snap, b.Set)
	for _, id := range b.Copies() {
		if err := ctx.Err(); err != nil {
			return sched.Plan{}, err
		}
		host := s.draw(p)
		if host < 0 {
			plan.Unplaced++
			continue
		}
		p.take(host)
		h := &p.hosts[host]
		plan.Claims = append(plan.Claims, sched.Claim{SetID: id, Group: b.Set.Group, HostID: h.ID, HostVersion: h.Version, Take: b.Set.Need})
	}
	if plan.Unplaced > 0 {
		return sched.Plan{}, fmt.Errorf("%d of %d sets are without a host: %w", plan.Unplaced, max(1, b.N), sched.ErrNoFit)
	}
	return plan, nil
}

// draw is the best host of a sample, or -1.
func (s *sampler) draw(p *pass) int {
	best, left := -1, s.size(len(p.order))
	for k := range p.order {
		// One step of a shuffle: the order is random as far as it is looked at.
		j := k + s.rng.IntN(len(p.order)-k)
		p.order[k], p.order[j] = p.order[j], p.order[k]
		i := p.order[k]
		if !p.suits(i) {
			continue
		}
		if best < 0 || s.score(&p.hosts[i], p.set.Need) > s.score(&p.hosts[best], p.set.Need) {
			best = i
		}
		if left--; left == 0 {
			break
		}
	}
	return best
}

// fullest is the mean use of what the set needs, with the set on the host: what sched.PackScorer says.
func fullest(h *sched.Host, need sched.Vector) float64 {
	sum, n := 0.0, 0
	alloc, free := h.Allocatable(), h.Free()
	for r, x := range need {
		if x > 0 {
			sum += 1 - float64(free[r]-x)/float64(alloc[r])
			n++
		}
	}
	return sum / float64(max(1, n))
}

func emptiest(h *sched.Host, need sched.Vector) float64 { return -fullest(h, need) }
