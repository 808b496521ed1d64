package sched_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

// dependent is a plug-in that says how its answers change.
type dependent struct {
	plugin
	on sched.Dependency
}

func (d dependent) Depends(*sched.Request) sched.Dependency { return d.on }

func TestAPluginIsAskedAsOftenAsItDeclares(t *testing.T) {
	const hosts, copies = 4, 3
	calls := 0
	counting := plugin{score: func() float64 { calls++; return 0 }}
	for name, c := range map[string]struct {
		scorer        sched.Scorer
		first, second int // calls in the first and in a second plan on the same hosts, descriptions aside
	}{
		"undeclared": {counting, hosts * copies, hosts * copies},
		"always":     {dependent{counting, sched.Always}, hosts * copies, hosts * copies},
		"on group":   {dependent{counting, sched.OnGroup}, hosts * copies, hosts * copies},
		"weighted":   {sched.Weighted{Scorer: counting, Weight: 2}, hosts * copies, hosts * copies},
		// Later only the hosts that the batch was tried on are asked about.
		"on host": {dependent{counting, sched.OnHost}, hosts + copies - 1, copies - 1},
		"weighted on host": {sched.Weighted{Scorer: dependent{counting, sched.OnHost}, Weight: 2},
			hosts + copies - 1, copies - 1},
	} {
		l, _ := ledger(t, host("a", "", 9), host("b", "", 9), host("c", "", 9), host("d", "", 9))
		s := sched.New(sched.Config{Scorers: []sched.Scorer{c.scorer}})
		for _, want := range []int{c.first, c.second} {
			calls = 0
			_, err := s.Plan(context.Background(), l.Snapshot(), sched.Batch{Set: sched.Set{ID: "s"}, N: copies})
			require.NoError(t, err)
			assert.Equal(t, want+min(3, hosts), calls, "%s: the best three are described", name)
		}
	}
}

// chooser is a filter with a scope.
type chooser struct {
	plugin
	scope sched.Scope
	err   error
	crash bool
}

func (c chooser) Prefilter(*sched.Request) (sched.Scope, error) {
	if c.crash {
		panic("no scope")
	}
	return c.scope, c.err
}

func TestAPrefilterNarrowsThePlan(t *testing.T) {
	asked := 0
	no := plugin{filter: func() sched.Reason { asked++; return "is refused" }}
	yes := plugin{filter: func() sched.Reason { return "" }}
	errMine := errors.New("quota is used up")
	for name, c := range map[string]struct {
		filter chooser
		host   string
		err    string
	}{
		"nothing said":     {chooser{plugin: yes}, "a", ""},
		"skipped":          {chooser{plugin: no, scope: sched.Scope{Skip: true}}, "a", ""},
		"one host":         {chooser{plugin: yes, scope: sched.Scope{Hosts: []string{"nowhere", "b"}}}, "b", ""},
		"no host":          {chooser{plugin: yes, scope: sched.Scope{Hosts: []string{}}}, "", "plan s: 0 of 2 hosts fit: 2 are not among the hosts in question"},
		"one that is full": {chooser{plugin: no, scope: sched.Scope{Hosts: []string{"b"}}}, "", "plan s: 0 of 2 hosts fit: 1 is not among the hosts in question, 1 is refused"},
		"an error":         {chooser{plugin: yes, err: errMine}, "", "plan s: filter mine: quota is used up"},
		"a panic":          {chooser{plugin: yes, crash: true}, "", "plan s: filter mine panicked: no scope: plug-in failed"},
	} {
		for _, exhaustive := range []bool{false, true} {
			asked = 0
			s := sched.New(sched.Config{Filters: append(sched.DefaultFilters(), c.filter), Exhaustive: exhaustive})
			p, err := s.Plan(context.Background(), sched.SnapshotOf(host("a", "", 9), host("b", "", 9)), sched.Batch{Set: sched.Set{ID: "s"}})
			if c.err != "" {
				assert.EqualError(t, err, c.err, name)
				continue
			}
			require.NoError(t, err, name)
			assert.Equal(t, c.host, p.Claims[0].HostID, name)
			assert.Zero(t, asked, "%s: it is not asked", name)
		}
	}
	_, err := sched.New(sched.Config{Filters: []sched.Filter{chooser{err: errMine}}}).
		Plan(context.Background(), sched.SnapshotOf(host("a", "", 9)), sched.Batch{Set: sched.Set{ID: "s"}})
	assert.ErrorIs(t, err, errMine)
}
