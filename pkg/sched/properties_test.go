package sched_test

import (
	"testing"

	"github.com/moset/moset/pkg/sched"
	"github.com/moset/moset/pkg/sched/schedtest"
)

func TestSchedulerKeepsTheProperties(t *testing.T) {
	for name, c := range map[string]sched.Config{
		"built-in policy":    {},
		"resources implied":  {Filters: []sched.Filter{sched.StateFilter{}, sched.LabelFilter{}, sched.AntiAffinityFilter{}}},
		"emptiest host":      {Scorers: []sched.Scorer{sched.EvenScorer{}}},
		"no preference ever": {Scorers: []sched.Scorer{}},
	} {
		t.Run(name, func(t *testing.T) {
			schedtest.Test(t, func(seed uint64) schedtest.Planner {
				c.Seed = seed
				return sched.New(c)
			})
		})
	}
}
