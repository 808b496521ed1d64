package sched_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

// member is a running set of a group.
func member(group, id, host string, cores int64, priority int32) sched.Running {
	r := running(id, host, cores, priority)
	r.Claim.Group = group
	return r
}

// victims are those on hosts that the running sets have been added to.
func victims(t *testing.T, c sched.Config, set sched.Set, hosts []sched.Host, sets ...sched.Running) (sched.Proposal, error) {
	t.Helper()
	l := sched.NewLedger(sched.LedgerConfig{})
	var p sched.Plan
	for _, h := range hosts {
		require.NoError(t, l.Put(h))
	}
	for _, r := range sets {
		p.Claims = append(p.Claims, r.Claim)
	}
	_, err := l.Commit(context.Background(), p, sched.Mode{AllOrNothing: true})
	require.NoError(t, err)
	return sched.New(c).Victims(context.Background(), l.Snapshot(), set, sets)
}

func urgent(cores int64) sched.Set {
	return sched.Set{ID: "urgent", Priority: 10, Need: sched.Vector{sched.CPU: cores}}
}

func TestVictimsTakeTheirGroupsWithThem(t *testing.T) {
	hosts := []sched.Host{host("a", "r", 9), host("b", "r", 9)}
	set := urgent(1)
	set.AntiAffinity = []sched.AntiAffinity{{Group: "noisy", By: "rack"}}
	p, err := victims(t, sched.Config{}, set, hosts, running("quiet", "a", 1, 0), member("noisy", "n", "a", 1, 9))
	require.NoError(t, err)
	assert.Equal(t, sched.Proposal{HostID: "a", Victims: []string{"n"}, Snapshot: p.Snapshot}, p)

	_, err = victims(t, sched.Config{}, set, hosts, member("noisy", "n", "a", 1, 9), member("noisy", "m", "b", 1, 9))
	assert.ErrorIs(t, err, sched.ErrNoFit, "the noisy one of the other host would still be in the rack")
}

func TestVictimsGiveBackTheirAddresses(t *testing.T) {
	h := host("a", "", 9)
	h.IPPools = map[string]int64{"blue": 3, "red": 1}
	set := urgent(1)
	set.Networks = []string{"blue", "blue"}
	one, two, other := running("one", "a", 1, 1), running("two", "a", 1, 2), running("other", "a", 1, 0)
	one.Claim.Networks, two.Claim.Networks, other.Claim.Networks = []string{"blue", "blue"}, []string{"blue"}, []string{"red"}
	p, err := victims(t, sched.Config{}, set, []sched.Host{h}, one, two, other)
	require.NoError(t, err)
	assert.Equal(t, []string{"one"}, p.Victims)
}

func TestVictimsEvenOutAHardSpread(t *testing.T) {
	set := urgent(1)
	set.Group, set.Spread = "web", []sched.Spread{{By: "rack", Hard: true}}
	p, err := victims(t, sched.Config{}, set, []sched.Host{host("a", "r1", 9), host("b", "r2", 1)},
		member("web", "w", "a", 1, 1), running("dear", "b", 1, 10))
	require.NoError(t, err)
	assert.Equal(t, sched.Proposal{HostID: "a", Victims: []string{"w"}, Snapshot: p.Snapshot}, p)
}

func TestVictimsAreNotThoseTheSetMustBeNear(t *testing.T) {
	set := urgent(4)
	set.Affinity = []sched.Affinity{{Group: "cache", Hard: true}, {Group: "log", By: "rack", Hard: true}}
	hosts := []sched.Host{host("a", "r", 6), host("b", "r", 6)}
	cache, log := member("cache", "cache", "a", 1, 1), member("log", "log", "a", 1, 2)
	p, err := victims(t, sched.Config{}, set, hosts, cache, log, running("x", "a", 4, 9))
	require.NoError(t, err)
	assert.Equal(t, []string{"x"}, p.Victims)

	cache.Claim.Take[sched.CPU] = 2
	_, err = victims(t, sched.Config{}, set, hosts, cache, log)
	assert.ErrorIs(t, err, sched.ErrNoFit, "there is no room beside both")
}

func TestTheSetToBeNearIsChosenForCheapVictims(t *testing.T) {
	set := urgent(4)
	set.Affinity = []sched.Affinity{{Group: "cache", Hard: true}}
	p, err := victims(t, sched.Config{}, set, []sched.Host{host("a", "", 10)},
		member("cache", "big", "a", 4, 3), member("cache", "small", "a", 1, 1), running("dear", "a", 5, 5))
	require.NoError(t, err)
	assert.Equal(t, []string{"big"}, p.Victims, "to keep the big one would cost a dear one")
}

func TestEqualVictimsAreDecidedByShardThenScore(t *testing.T) {
	hosts := []sched.Host{host("a", "r1", 4), host("b", "r2", 4), host("c", "r3", 4), host("d", "r4", 4)}
	sets := []sched.Running{running("on-a", "a", 4, 1), running("on-b", "b", 4, 1),
		running("on-c", "c", 3, 1), running("stays-c", "c", 1, 10), running("on-d", "d", 4, 1)}
	for want, c := range map[string]sched.Config{
		"c": {Scorers: []sched.Scorer{sched.PackScorer{}}},
		"a": {Scorers: []sched.Scorer{sched.EvenScorer{}}},
		"b": {Scorers: []sched.Scorer{sched.PackScorer{}}, Shard: sched.Shard{Index: 1, Of: 2}},
	} {
		p, err := victims(t, c, urgent(2), hosts, sets...)
		require.NoError(t, err)
		assert.Equal(t, want, p.HostID)
	}
}

func TestFiltersOfOthersSeeTheHostWithoutTheVictims(t *testing.T) {
	p, err := victims(t, sched.Config{Filters: append(sched.DefaultFilters(), crowded{})}, urgent(1), []sched.Host{host("a", "", 9)},
		member("web", "w1", "a", 1, 1), member("web", "w2", "a", 1, 2), member("web", "w3", "a", 1, 3))
	require.NoError(t, err)
	assert.Equal(t, []string{"w1", "w2"}, p.Victims)
}

// crowded refuses hosts with two sets of the web or more.
type crowded struct{}

func (crowded) Name() string { return "crowded" }

func (crowded) Filter(_ *sched.Request, h sched.HostView) sched.Reason {
	if h.Sets("web") > 1 || h.Free(sched.CPU) < 8 {
		return "is crowded"
	}
	return ""
}

func TestVictimsMayBeAllThereIsOfTheOwnGroup(t *testing.T) {
	set := urgent(4)
	set.Group, set.Affinity = "web", []sched.Affinity{{Hard: true}}
	p, err := victims(t, sched.Config{}, set, []sched.Host{host("a", "", 4)}, member("web", "w", "a", 4, 1))
	require.NoError(t, err)
	assert.Equal(t, []string{"w"}, p.Victims)
}

// onRoom does something when it is asked about a host with three cores free.
type onRoom func()

func (onRoom) Name() string { return "on-room" }

func (f onRoom) Filter(_ *sched.Request, h sched.HostView) sched.Reason {
	if h.Free(sched.CPU) >= 3 {
		f()
	}
	return ""
}

func TestVictimsLeaveTheSnapshotAloneWhenAPluginPanics(t *testing.T) {
	l := sched.NewLedger(sched.LedgerConfig{})
	require.NoError(t, l.Put(host("a", "", 4)))
	on := running("x", "a", 4, 1)
	_, err := l.Commit(context.Background(), sched.Plan{Claims: []sched.Claim{on.Claim}}, sched.Mode{})
	require.NoError(t, err)
	s := sched.New(sched.Config{Filters: append(sched.DefaultFilters(), onRoom(func() { panic("boom") }))})
	_, err = s.Victims(context.Background(), l.Snapshot(), urgent(4), []sched.Running{on})
	require.ErrorIs(t, err, sched.ErrPlugin)
	assert.Equal(t, int64(4), l.Snapshot().List()[0].Used[sched.CPU])
}

func TestVictimsStopWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := sched.New(sched.Config{Filters: append(sched.DefaultFilters(), onRoom(cancel))})
	_, err := s.Victims(ctx, sched.SnapshotOf(busy("a", 4), busy("b", 4)), urgent(4),
		[]sched.Running{running("x", "a", 4, 1), running("y", "b", 4, 1)})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAPluginThatHangsOverVictimsIsGivenUp(t *testing.T) {
	free := make(chan struct{})
	defer close(free)
	h := &hanging{at: 2, until: free}
	_, err := victims(t, sched.Config{Filters: append(sched.DefaultFilters(), h), Budget: 500 * time.Millisecond}, urgent(9),
		[]sched.Host{host("a", "", 9), host("b", "", 5)}, running("x", "a", 1, 1))
	var failed *sched.PluginError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, sched.Hung, failed.Fault)
}

// hanging does not come back from its nth question.
type hanging struct {
	asked, at int
	until     chan struct{}
}

func (*hanging) Name() string { return "hanging" }

func (h *hanging) Filter(*sched.Request, sched.HostView) sched.Reason {
	if h.asked++; h.asked >= h.at {
		<-h.until
	}
	return ""
}
