package figure

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLines(t *testing.T) {
	for want, f := range map[string]Figure{
		"bench create ours=150ms docker=300ms ratio=0.500 goal<=1 met":     {"create", "ms", 150.2, "docker", 300.4, Goal{Bound: 1}},
		"bench create ours=450ms docker=300ms ratio=1.50 goal<=1.2 missed": {"create", "ms", 450, "docker", 300, Goal{Bound: 1.2}},
		"bench rate ours=90.0/s bird=30.0/s ratio=3.00 goal>=2 met":        {"rate", "/s", 90, "bird", 30, Goal{2, true}},
		"bench rate ours=45.0/s bird=30.0/s ratio=1.50 goal>=2 missed":     {"rate", "/s", 45, "bird", 30, Goal{2, true}},
		"bench p99 ours=7.46ms goal<=20 met":                               {Name: "p99", Unit: "ms", Ours: 7.456, Goal: Goal{Bound: 20}},
		"bench p99 ours=12346ms goal<=20.5 missed":                         {Name: "p99", Unit: "ms", Ours: 12345.6, Goal: Goal{Bound: 20.5}},
		"bench share ours=0.0123 goal<=0 missed":                           {Name: "share", Ours: 0.01234},
		"bench leaks ours=0.00 goal<=0 met":                                {Name: "leaks"},
	} {
		assert.Equal(t, want, f.String())
	}
}

func TestAFigureIsJudgedByTheDigitsItShows(t *testing.T) {
	assert.True(t, Figure{Ours: 100.4, Peer: "p", Their: 100, Goal: Goal{Bound: 1}}.Met())
	assert.False(t, Figure{Ours: 100.6, Peer: "p", Their: 100, Goal: Goal{Bound: 1}}.Met())
}

func TestAPeerThatMeasuredNothingMeetsNoGoal(t *testing.T) {
	assert.False(t, Figure{Ours: 1, Peer: "p", Goal: Goal{Bound: 1}}.Met())
	assert.False(t, Figure{Peer: "p", Goal: Goal{Bound: 1}}.Met())
	assert.False(t, Figure{Ours: 1, Peer: "p", Goal: Goal{1, true}}.Met())
	assert.False(t, Figure{Peer: "p", Goal: Goal{0, true}}.Met())
	assert.True(t, math.IsNaN(Figure{Ours: 1}.Ratio()))
}

func TestStatistics(t *testing.T) {
	s := Samples{5, 1, 4, 2}
	assert.Equal(t, []time.Duration{3, 5, 2, 4, 1}, []time.Duration{s.Median(), s.Max(), s.Percentile(50), s.Percentile(75), s.Percentile(0)})
	assert.Equal(t, Samples{5, 1, 4, 2}, s, "the order of measuring is kept")
	assert.Equal(t, time.Duration(4), append(s, 9).Median())
	assert.Zero(t, Samples{}.Median()+Samples{}.Max())
	assert.InDelta(t, 1.5, Milliseconds(1500*time.Microsecond), 0)
}

func ExampleFigure() {
	fmt.Println(Figure{Name: "create-to-reachable", Unit: "ms", Ours: 151, Peer: "docker", Their: 212, Goal: Goal{Bound: 1}})
	// Output: bench create-to-reachable ours=151ms docker=212ms ratio=0.712 goal<=1 met
}
