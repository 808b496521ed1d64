package sched_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

func TestPlanKeepsCopiesTogether(t *testing.T) {
	set := sched.Set{ID: "s", Group: "web", Need: sched.Vector{sched.CPU: 1}, Affinity: []sched.Affinity{{By: "rack", Hard: true}}}
	hosts := []sched.Host{host("a", "r1", 1), host("b", "r2", 2), host("c", "r2", 2)}
	p, err := sched.New(sched.Config{Scorers: []sched.Scorer{sched.EvenScorer{}}}).
		Plan(context.Background(), sched.SnapshotOf(hosts...), sched.Batch{Set: set, N: 5, Min: 1})
	require.NoError(t, err)
	require.Len(t, p.Claims, 4, "%s", p.Why)
	for _, c := range p.Claims {
		assert.NotEqual(t, "a", c.HostID)
	}
	assert.Equal(t, "0 of 3 hosts fit: 2 lack cpu (0.001 cores needed, at most 0 cores free), 1 shares its rack with no set of group web", p.Why.String())
}

func TestPlanFollowsAnotherGroup(t *testing.T) {
	hosts := []sched.Host{host("a", "r1", 9), host("b", "r1", 9), host("c", "r2", 9)}
	hosts[2].Groups = map[string]int{"db": 1}
	for want, a := range map[string]sched.Affinity{
		"c": {Group: "db", Hard: true},
		"a": {Group: "db", Weight: -1},
	} {
		assert.Equal(t, []string{want}, plan(t, sched.Config{}, sched.Batch{Set: sched.Set{ID: "s", Affinity: []sched.Affinity{a}}}, hosts...))
	}
	soft := sched.Set{ID: "s", Affinity: []sched.Affinity{{Group: "db", By: "rack", Weight: 2}, {Group: "web"}}}
	assert.Equal(t, []string{"c"}, plan(t, sched.Config{}, sched.Batch{Set: soft}, hosts...))
	_, err := sched.New(sched.Config{}).Plan(context.Background(), sched.SnapshotOf(hosts...),
		sched.Batch{Set: sched.Set{ID: "s", Affinity: []sched.Affinity{{Group: "none", Hard: true}}}})
	assert.EqualError(t, err, "plan s: 0 of 3 hosts fit: 3 have no set of group none")
}

func TestRulesThatContradictAreRefused(t *testing.T) {
	is := func(values ...string) sched.Selector { return sched.Selector{Key: "disk", Values: values} }
	not := func(values ...string) sched.Selector { return sched.Selector{Key: "disk", Values: values, Not: true} }
	for name, set := range map[string]sched.Set{
		"two values":      {Require: []sched.Selector{is("ssd"), is("hdd")}},
		"value and not":   {Require: []sched.Selector{is("ssd", "hdd"), not("ssd"), not("hdd")}},
		"any and none":    {Require: []sched.Selector{is(), not()}},
		"near and apart":  {Group: "web", Affinity: []sched.Affinity{{Hard: true}}, AntiAffinity: []sched.AntiAffinity{{Group: "web", By: "host"}}},
		"weight is NaN":   {Affinity: []sched.Affinity{{Group: "db", Weight: math.NaN()}}},
		"weight is great": {Prefer: []sched.Preference{{Selector: is("ssd"), Weight: math.Inf(1)}}},
	} {
		assert.ErrorIs(t, set.Validate(), sched.ErrInvalid, name)
	}
	for _, set := range []sched.Set{
		{Require: []sched.Selector{is("ssd", "hdd"), not("ssd"), is()}},
		{Require: []sched.Selector{not(), not("ssd")}},
		{Group: "web", Affinity: []sched.Affinity{{By: "zone", Hard: true}}, AntiAffinity: []sched.AntiAffinity{{}}},
	} {
		assert.NoError(t, set.Validate())
	}
}
