package sim

import (
	"fmt"
	"strings"

	"github.com/moset/moset/pkg/sched"
)

// Policies are the names Policy knows.
func Policies() []string {
	return []string{"thrift", "pack", "spread", "naive", "log2", "two-choices", "two-fuller", "first-fit"}
}

// Baselines are the simple policies that a good one must not lose to.
func Baselines() []string { return []string{"naive", "log2", "two-choices", "two-fuller"} }

// Policy is a planner by its name. The seed breaks ties and draws the samples.
//
// "thrift" is what package sched does when nothing is said, "pack" fills hosts up and "spread" keeps them
// level, wishes and spreads of the set heard first. The others are there to compare with: "naive" is the fullest
// of all hosts, "log2" the fullest of log2 N drawn ones where it fits, "two-choices" the emptier and "two-fuller"
// the fuller of two such, "first-fit" the first in the order of ids.
func Policy(name string, seed uint64) (Planner, error) {
	wishes := []sched.Scorer{sched.Weighted{Scorer: sched.PreferScorer{}, Weight: 8}, sched.Weighted{Scorer: sched.SpreadScorer{}, Weight: 4}}
	switch name {
	case "thrift":
		return sched.New(sched.Config{Seed: seed}), nil
	case "pack":
		return sched.New(sched.Config{Seed: seed, Scorers: append(wishes, sched.PackScorer{})}), nil
	case "spread":
		return sched.New(sched.Config{Seed: seed, Scorers: append(wishes, sched.EvenScorer{})}), nil
	case "naive":
		return sched.New(sched.Config{Seed: seed, Scorers: []sched.Scorer{sched.PackScorer{}}}), nil
	case "first-fit":
		return sched.New(sched.Config{Scorers: []sched.Scorer{}}), nil
	case "log2":
		return newSampler(seed, log2, fullest), nil
	case "two-choices":
		return newSampler(seed, two, emptiest), nil
	case "two-fuller":
		return newSampler(seed, two, fullest), nil
	}
	return nil, fmt.Errorf("the policy %q is not known; choose one of %s", name, strings.Join(Policies(), ", "))
}
